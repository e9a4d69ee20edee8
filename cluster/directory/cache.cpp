#include "cluster/directory/cache.hpp"

#include <algorithm>
#include <utility>

#include "actors/encoding.hpp"

namespace troupe::cluster {
namespace {

// An answer so soon, without news, is none that was waited for.
constexpr Duration at_once_within = std::chrono::milliseconds{500};

// Nodes that know old news may send each other's callers round in a circle.
constexpr unsigned hints_max = 3;

runtime::Counter& count_bytes(runtime::Metrics& metrics, const char* direction) {
  return metrics.counter("troupe_directory_bytes_total",
                         "Bytes of this node's calls to whoever keeps the directory, and of the "
                         "answers.",
                         {{"direction", direction}});
}

}  // namespace

DirectoryCache::DirectoryCache(CacheSpec spec)
    : spec_(std::move(spec)),
      writes_(spec_.platform->workers().queue("directory", runtime::Workers::Kind::pooled)),
      calls_(spec_.platform->metrics().counter(
          "troupe_directory_calls_total", "This node's calls to whoever keeps the directory.")),
      bytes_out_(count_bytes(spec_.platform->metrics(), "out")),
      bytes_in_(count_bytes(spec_.platform->metrics(), "in")),
      table_(std::make_shared<const DirectoryTable>(spec_.known)) {}

DirectoryTable DirectoryCache::load(runtime::Disk& disk, const std::string& file,
                                    const std::string& cluster_id) {
  DirectoryTable table;
  const auto bytes = disk.read(file);
  if (!bytes || !actors::decode(*bytes, table) || table.cluster_id() != cluster_id) return {};
  return table;
}

std::shared_ptr<const DirectoryTable> DirectoryCache::table() const {
  const std::lock_guard guard{mutex_};
  return table_;
}

std::string DirectoryCache::keeper() const {
  const std::lock_guard guard{mutex_};
  return keeper_;
}

DirectoryView DirectoryCache::view() const {
  DirectoryView view;
  view.set_node(spec_.self.name());
  const std::lock_guard guard{mutex_};
  view.set_keeper(keeper_);
  view.set_reached(reached_);
  *view.mutable_table() = *table_;
  return view;
}

void DirectoryCache::run_on(std::shared_ptr<actors::Executor> executor) {
  {
    const std::lock_guard guard{mutex_};
    executor_ = std::move(executor);
  }
  post([this] {
    ++life_;
    pause_ = spec_.options.pause_first;
    ask();
  });
}

void DirectoryCache::post(std::function<void()> job) {
  post_after(Duration::zero(), std::move(job));
}

void DirectoryCache::post_after(Duration delay, std::function<void()> job) {
  std::shared_ptr<actors::Executor> executor;
  {
    const std::lock_guard guard{mutex_};
    executor = executor_;
  }
  if (!executor) return;
  if (delay == Duration::zero()) return executor->post(std::move(job));
  executor->post_after(delay, std::move(job));
}

// Those that keep the directory, as far as is known. Who knew it long ago may find others there
// now, or nobody: any node of the cluster can say who does.
std::vector<std::string> DirectoryCache::whom() const {
  const auto known = table();
  if (known->version() == 0) return spec_.seeds;
  std::vector<std::string> names = control_nodes(*known);
  for (const DirectoryNode& node : known->nodes())
    if (!node.control() && node.state() != DirectoryNode::REMOVED &&
        node.name() != spec_.self.name())
      names.push_back(node.name());
  return names.empty() ? spec_.seeds : names;
}

void DirectoryCache::ask() {
  std::string node = std::exchange(hint_, {});
  if (node.empty()) {
    const auto names = whom();
    node = names[turn_ % names.size()];
  }
  DirectoryCall call;
  *call.mutable_self() = spec_.self;
  call.set_version(table()->version());
  if (spec_.report) spec_.report(call);
  const MonotonicTime now = spec_.platform->clock().now();
  std::string said = actors::encode(call);
  calls_.add(1);
  bytes_out_.add(static_cast<double>(said.size()));
  spec_.reach(node, std::move(said), now + spec_.options.call_time,
              [this, life = life_, node, now](Result<std::string> bytes) {
                auto came = std::make_shared<Result<std::string>>(std::move(bytes));
                post([this, life, node, now, came] {
                  if (life == life_) heard(node, now, std::move(*came));
                });
              });
}

void DirectoryCache::heard(const std::string& node, MonotonicTime asked_at,
                           Result<std::string> bytes) {
  DirectoryAnswer answer;
  if (bytes) bytes_in_.add(static_cast<double>(bytes->size()));
  if (bytes && !actors::decode(*bytes, answer))
    bytes = internal("DIRECTORY_CALL_MALFORMED", "the answer of " + node + " does not parse");
  const bool kept = bytes && answer.keeps();
  {
    const std::lock_guard guard{mutex_};
    reached_ = kept;
    keeper_ = kept ? node : answer.leader();
  }
  if (!bytes) complain(node, bytes.error());
  if (!kept) {
    if (answer.leader().empty() || answer.leader() == node || hints_ == hints_max) {
      ++turn_;
      hints_ = 0;
    } else {
      ++hints_;
      hint_ = answer.leader();
    }
    return again(false);
  }
  complained_.clear();
  hints_ = 0;
  hint_ = node;
  const bool news = take(answer.difference());
  if (spec_.transfer)
    for (const LeadershipOrder& order : answer.transfers()) spec_.transfer(order);
  again(news || answer.transfers_size() > 0 ||
        spec_.platform->clock().now() - asked_at >= at_once_within);
}

void DirectoryCache::ask_keeper(const DirectoryQuestion& question,
                                std::function<void(Result<DirectoryAnswer>)> answer) {
  const std::string keeper = this->keeper();
  if (keeper.empty())
    return answer(unavailable("DIRECTORY_UNREACHABLE",
                              "this node does not reach whoever keeps the directory; a majority "
                              "of the control nodes must be up"));
  DirectoryCall call;
  *call.mutable_self() = spec_.self;
  *call.mutable_question() = question;
  call.mutable_question()->set_version(std::max(question.version(), table()->version()));
  const Duration waits =
      std::min<Duration>(std::chrono::milliseconds{question.wait_ms()}, std::chrono::minutes{1});
  spec_.reach(keeper, actors::encode(call),
              spec_.platform->clock().now() + spec_.options.question_time + waits,
              [keeper, answer = std::move(answer)](Result<std::string> bytes) {
                if (!bytes) return answer(bytes.error());
                DirectoryAnswer said;
                if (!actors::decode(*bytes, said))
                  return answer(internal("DIRECTORY_CALL_MALFORMED",
                                         "the answer of " + keeper + " does not parse"));
                if (!said.keeps())
                  return answer(unavailable("DIRECTORY_UNREACHABLE",
                                            keeper + " does not keep the directory any more; ask "
                                                     "again"));
                answer(std::move(said));
              });
}

void DirectoryCache::again(bool at_once) {
  if (at_once) {
    pause_ = spec_.options.pause_first;
    return ask();
  }
  // Not all nodes at the same time.
  const auto part = static_cast<std::int64_t>(
      spec_.platform->random().between(0, static_cast<std::uint64_t>(pause_.count()) / 4));
  post_after(pause_ - Duration{part}, [this, life = life_] {
    if (life == life_) ask();
  });
  pause_ = std::min(2 * pause_, spec_.options.pause_longest);
}

bool DirectoryCache::take(const DirectoryTable& newer) {
  if (newer.version() <= table()->version()) return false;
  auto copy = std::make_shared<DirectoryTable>(*table());
  if (!merge(*copy, newer)) return false;
  {
    const std::lock_guard guard{mutex_};
    table_ = copy;
  }
  spec_.platform->log().debug("directory.newer", "this node knows a newer directory",
                              {{"version", copy->version()}});
  if (!spec_.file.empty())
    writes_->post(
        [disk = &spec_.platform->disk(), log = &spec_.platform->log(), file = spec_.file, copy] {
          const auto written = disk->write(file, actors::encode(*copy));
          if (!written)
            log->warn("directory.not_stored",
                      "the copy of the directory is not stored: " + written.error().describe());
        });
  if (spec_.changed) spec_.changed(newer);
  return true;
}

void DirectoryCache::complain(const std::string& node, const Error& why) {
  if (why.code == Code::unavailable || why.code == Code::deadline_exceeded ||
      complained_ == why.reason)
    return;
  complained_ = why.reason;
  spec_.platform->log().warn("directory.refused",
                             "node " + node + ", which keeps the directory, says " + why.describe(),
                             {{"reason", why.reason}});
}

}  // namespace troupe::cluster
