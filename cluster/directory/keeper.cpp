#include "cluster/directory/keeper.hpp"

#include <algorithm>
#include <utility>

#include "actors/encoding.hpp"
#include "cluster/directory/policies.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/rehearsal/planted.hpp"

namespace troupe::cluster {
namespace {

namespace v1 = directory::v1;

v1::DirectoryRef directory() {
  return v1::DirectoryRef{std::string{directory_key}};
}

// What this version does not know of the balancer's policies is left out.
KeeperOptions with_balancer_policies(KeeperOptions options, const DirectoryTable& table) {
  config::Balancer balancer{options.balance.balancing, options.down_after,
                            options.balance.repair_delay, options.advice_hold};
  (void)config::apply_policies(balancer, policies_in(table, balancer_policies));
  options.balance.balancing = balancer.enabled;
  options.down_after = balancer.down_after;
  options.balance.repair_delay = balancer.repair_after;
  options.advice_hold = balancer.advice_hold;
  return options;
}

}  // namespace

DirectoryKeeper::DirectoryKeeper(KeeperSpec spec)
    : spec_(std::move(spec)), loads_(spec_.platform->metrics()), options_(spec_.options) {}

void DirectoryKeeper::run_on(std::shared_ptr<actors::Executor> executor) {
  {
    const std::lock_guard guard{mutex_};
    executor_ = std::move(executor);
  }
  post([this] {
    ++life_;
    reading_ = read_again_ = keeps_ = ticking_ = false;
    keeping_ = false;
    waiting_.clear();
    questions_.clear();
    seen_.clear();
    changing_.clear();
    reports_.clear();
    loads_.clear();
    transferred_.clear();
    read();
  });
}

void DirectoryKeeper::post(std::function<void()> job) {
  std::shared_ptr<actors::Executor> executor;
  {
    const std::lock_guard guard{mutex_};
    executor = executor_;
  }
  if (executor) executor->post(std::move(job));
}

// Answers of an earlier actor's life are not heard.
template <class Response>
void DirectoryKeeper::ask(actors::Call<Response> call, std::function<void(Result<Response>)> then) {
  spec_.local(
      std::move(call), {},
      [this, life = life_, then = std::move(then)](Result<actors::Reply> reply) {
        auto heard = std::make_shared<Result<actors::Reply>>(std::move(reply));
        post([this, life, heard, then] {
          if (life != life_) return;
          if (!*heard) return then(heard->error());
          Response response;
          if (!actors::decode((*heard)->payload, response))
            return then(internal("REPLY_MALFORMED", "a reply of the directory does not parse"));
          then(std::move(response));
        });
      });
}

// One order at a time for each thing; the next tick sees whether it is still needed.
void DirectoryKeeper::change(const std::string& what, actors::Call<v1::Changed> call,
                             const v1::Why& why) {
  if (!changing_.insert(what).second) return;
  ask<v1::Changed>(std::move(call), [this, what, why](Result<v1::Changed> changed) {
    changing_.erase(what);
    if (!changed) {
      if (changed.error().reason != "NOT_LEADING")
        spec_.platform->log().warn("directory.refused", what + ": " + changed.error().describe(),
                                   {{"why", why.text()}});
      return;
    }
    if (changed->version() <= table_.version()) return;  // it was so already
    spec_.platform->log().info(
        "directory.changed", what + ": " + why.text(),
        {{"who", why.who()}, {"what", what}, {"why", why.text()}, {"version", changed->version()}});
    read();
  });
}

v1::Why DirectoryKeeper::why(std::string text) const {
  v1::Why why;
  why.set_who(spec_.node);
  why.set_text(std::move(text));
  return why;
}

// --- the table -----------------------------------------------------------------------------------

void DirectoryKeeper::look() {
  post([this] { read(); });
}

void DirectoryKeeper::read() {
  if (reading_) {
    read_again_ = true;
    return;
  }
  // Planted: who does not lead the directory's group keeps the directory as well.
  if (spec_.vitals->get().state != "serving" && !TROUPE_PLANTED(two_balancers)) return keep(false);
  reading_ = true;
  v1::ReadRequest request;
  request.set_since(table_.version());
  ask<DirectoryTable>(directory().Read(request), [this](Result<DirectoryTable> newer) {
    reading_ = false;
    was_read(std::move(newer));
    if (std::exchange(read_again_, false)) read();
  });
}

void DirectoryKeeper::was_read(Result<DirectoryTable> newer) {
  if (!newer) return keep(false);
  if (merge(table_, *newer)) {
    options_ = with_balancer_policies(spec_.options, table_);
    if (spec_.told) spec_.told(table_);
  }
  keep(true);
  tell();
  look_at_questions(false);
}

void DirectoryKeeper::keep(bool keeps) {
  if (keeps == keeps_) return;
  keeping_ = keeps_ = keeps;
  if (!keeps) {
    TROUPE_SOMETIMES("a keeper of the directory was replaced");
    spec_.platform->log().info("directory.not_kept", "another node keeps the directory");
    seen_.clear();
    reports_.clear();
    loads_.clear();
    transferred_.clear();
    for (auto& [node, waiting] : std::exchange(waiting_, {})) answer(waiting);
    look_at_questions(true);
    return;
  }
  spec_.platform->log().info("directory.kept", "this node keeps the directory",
                             {{"version", table_.version()}});
  keeps_since_ = observed_ = spec_.platform->clock().now();
  if (spec_.began) spec_.began();
  found();
  if (!std::exchange(ticking_, true)) tick();
}

// The first keeper fills the table; later ones add services that are new in their binary, once
// every node that is to have their shards says that it hosts them.
void DirectoryKeeper::found() {
  const bool filled = table_.version() > 0;
  if (!filled && !spec_.may_found)
    return spec_.platform->log().error(
        "directory.lost",
        "the directory is empty and this node has lost its data once, or came later: it does not "
        "fill it, because what was in it is not known here");
  const bool to_found = std::ranges::any_of(spec_.founding.services(), [&](const auto& service) {
    return !find_service(table_, service.service()) &&
           is_hosted(table_, spec_.founding, service.service());
  });
  if (filled && !to_found) return;
  v1::FoundRequest request;
  *request.mutable_table() = spec_.founding;
  *request.mutable_why() = why(spec_.founding_why);
  change("the table", directory().Found(request), request.why());
}

// --- calls of nodes ------------------------------------------------------------------------------

void DirectoryKeeper::take(const std::string& from, std::string bytes, MonotonicTime deadline,
                           Answer answer) {
  const auto call = std::make_shared<DirectoryCall>();
  if (!actors::decode(bytes, *call) || call->self().name() != from)
    return answer(
        invalid_argument("DIRECTORY_CALL_MALFORMED", "a call of node " + from +
                                                         " does not parse, or speaks for another "
                                                         "node"));
  // An actor that ends drops the job and answers by that.
  const std::shared_ptr<Answer> once{
      new Answer{std::move(answer)}, [](Answer* left) {
        if (*left) (*left)(unavailable("DIRECTORY_STARTING", "the keeper is starting or stopping"));
        delete left;
      }};
  post([this, from, call, deadline, once] {
    taken(from, *call, deadline, std::exchange(*once, nullptr));
  });
}

void DirectoryKeeper::taken(const std::string& from, const DirectoryCall& call,
                            MonotonicTime deadline, Answer answer_to) {
  Waiting waiting{call.version(), deadline, std::move(answer_to)};
  if (!keeps_) return answer(waiting);
  const DirectoryNode* known = find_node(table_, from);
  if (table_.version() > 0 && (!known || known->state() == DirectoryNode::REMOVED))
    return waiting.answer(failed_precondition(
        "DIRECTORY_NODE_UNKNOWN", "the cluster has no node " + from + (known ? " any more" : "") +
                                      "; it can be made a member: troupe init FILE --join --node " +
                                      from));
  if (call.has_question())
    return take_question(call.question(), deadline, std::move(waiting.answer));
  seen_[from] = spec_.platform->clock().now();
  reports_.take(from, call, spec_.platform->clock().now());
  loads_.take(from, call, spec_.platform->clock().now());
  look_at_questions(false);
  welcome(call.self());
  if (call.version() > table_.version()) renew(from, call.version());
  if (call.version() < table_.version()) return answer(waiting);
  if (const auto before = waiting_.extract(from); before) answer(before.mapped());
  waiting_.insert_or_assign(from, std::move(waiting));
}

// A node that says something new of itself, or that was not up.
void DirectoryKeeper::welcome(const DirectoryNode& self) {
  const DirectoryNode* known = find_node(table_, self.name());
  if (!known || known->state() == DirectoryNode::REMOVED) return;
  const bool up = known->state() == DirectoryNode::UP;
  if (up && same_description(*known, self)) return;
  TROUPE_SOMETIMES_IF(known->state() == DirectoryNode::DOWN, "a node that was down called again");
  v1::WelcomeRequest request;
  *request.mutable_node() = self;
  request.set_based_on(known->version());
  *request.mutable_why() = why(up ? "it says so of itself" : "it has called");
  change("node " + self.name(), directory().Welcome(request), request.why());
}

// Its group has confirmed what this node knows, so what the other knows is lost.
void DirectoryKeeper::renew(const std::string& from, std::uint64_t theirs) {
  if (table_.version() == 0) return;
  TROUPE_SOMETIMES("a node knew a directory that was lost");
  spec_.platform->log().error("directory.behind",
                              "node " + from + " knows a later version than the keeper",
                              {{"theirs", theirs}, {"ours", table_.version()}});
  v1::RenewRequest request;
  request.set_above(theirs);
  *request.mutable_why() =
      why("node " + from + " knows version " + std::to_string(theirs) + ", which is lost");
  change("the table", directory().Renew(request), request.why());
}

void DirectoryKeeper::tell() {
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    if (place->second.version >= table_.version()) {
      ++place;
      continue;
    }
    Waiting waiting = std::move(place->second);
    place = waiting_.erase(place);
    answer(waiting);
  }
}

void DirectoryKeeper::answer(Waiting& waiting) {
  DirectoryAnswer answer;
  answer.set_keeps(keeps_);
  if (!keeps_)
    answer.set_leader(spec_.vitals->leader());
  else if (waiting.version < table_.version())
    *answer.mutable_difference() = difference(table_, waiting.version);
  for (LeadershipOrder& order : waiting.transfers) *answer.add_transfers() = std::move(order);
  std::exchange(waiting.answer, nullptr)(actors::encode(answer));
}

// --- once a second, while it keeps ---------------------------------------------------------------

void DirectoryKeeper::tick() {
  if (!keeps_) {
    ticking_ = false;
    return;
  }
  const MonotonicTime now = spec_.platform->clock().now();
  for (auto place = waiting_.begin(); place != waiting_.end();) {
    if (place->first == spec_.node || spec_.linked(place->first)) seen_[place->first] = now;
    if (place->second.deadline - now > options_.answer_before) {
      ++place;
      continue;
    }
    Waiting waiting = std::move(place->second);
    place = waiting_.erase(place);
    answer(waiting);
  }
  look_for_the_dead();
  found();
  balance();
  if (now - observed_ >= options_.observe) {
    observed_ = now;
    loads_.observe(table_, spec_.platform->clock().wall(), options_.advice_hold);
  }
  look_at_questions(false);
  std::shared_ptr<actors::Executor> executor;
  {
    const std::lock_guard guard{mutex_};
    executor = executor_;
  }
  executor->post_after(options_.tick, [this, life = life_] {
    if (life == life_) tick();
  });
}

void DirectoryKeeper::look_for_the_dead() {
  const MonotonicTime now = spec_.platform->clock().now();
  for (const DirectoryNode& node : table_.nodes()) {
    if (node.state() != DirectoryNode::UP) continue;
    const auto seen = seen_.find(node.name());
    const MonotonicTime heard =
        std::max(seen == seen_.end() ? keeps_since_ : seen->second, keeps_since_);
    if (now - heard < options_.down_after) continue;
    TROUPE_SOMETIMES("a node was found to be down");
    v1::SetNodeRequest request;
    request.set_node(node.name());
    request.set_based_on(node.version());
    request.set_state(DirectoryNode::DOWN);
    *request.mutable_why() =
        why("it has not been heard of for " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(now - heard).count()) +
            " s");
    change("node " + node.name(), directory().SetNode(request), request.why());
  }
}

}  // namespace troupe::cluster
