#include "tests/simulations/world/toy_node.hpp"

#include <caf/all.hpp>
#include <charconv>

#include "tests/simulations/world/support.hpp"

using Numbers = std::vector<std::uint64_t>;
using StreamPtr = std::shared_ptr<troupe::runtime::Stream>;
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(StreamPtr)

namespace troupe::simulations {

namespace {

using put_atom = caf::atom_constant<caf::atom("put")>;
using done_atom = caf::atom_constant<caf::atom("done")>;
using tick_atom = caf::atom_constant<caf::atom("tick")>;
using stop_atom = caf::atom_constant<caf::atom("stop")>;

// What the actors use; owned by the node, which outlives them.
struct Parts {
  runtime::Platform& platform;
  std::unique_ptr<runtime::FolderLock> lock;
  std::unique_ptr<Sqlite> db;
  std::unique_ptr<runtime::WorkQueue> queue;
  std::uint64_t ticks = 0;
};

int insert(Sqlite& db, const Numbers& numbers) {
  std::string sql = "BEGIN;";
  for (const auto number : numbers) {
    const auto text = std::to_string(number);
    sql += "INSERT OR IGNORE INTO numbers VALUES(" + text + ", zeroblob(" +
           std::to_string(number * 7919 % 3000) + "));";
  }
  const int code = db.run(sql + "COMMIT");
  if (code != SQLITE_OK) db.run("ROLLBACK");
  return code;
}

struct KeeperState {
  static constexpr const char* name = "keeper";
  std::vector<std::pair<std::uint64_t, StreamPtr>> waiting;
  std::vector<std::pair<std::uint64_t, StreamPtr>> writing;
};

class Keeper : public caf::stateful_actor<KeeperState> {
 public:
  Keeper(caf::actor_config& config, Parts* parts) : stateful_actor(config), parts_(*parts) {}

 protected:
  caf::behavior make_behavior() override {
    delayed_send(this, 10ms, tick_atom::value);
    return {[this](put_atom, std::uint64_t number, StreamPtr& stream) {
              state.waiting.emplace_back(number, std::move(stream));
              write();
            },
            [this](done_atom, int code) { written(code); },
            [this](tick_atom) {
              ++parts_.ticks;
              delayed_send(this, 10ms, tick_atom::value);
            },
            [this](stop_atom) { quit(); }};
  }

 private:
  void write() {
    if (!state.writing.empty() || state.waiting.empty()) return;
    state.writing.swap(state.waiting);
    Numbers numbers;
    for (const auto& [number, stream] : state.writing) numbers.push_back(number);
    parts_.queue->post([&parts = parts_, self = caf::actor{this}, numbers = std::move(numbers)] {
      const int code = insert(*parts.db, numbers);
      if (code != SQLITE_OK && code != SQLITE_FULL) {
        parts.platform.fail_stop(unavailable("DISK_IO", sqlite3_errstr(code)));
        return;
      }
      caf::anon_send(self, done_atom::value, code);
    });
  }

  void written(int code) {
    for (const auto& [number, stream] : state.writing) {
      stream->write((code == SQLITE_OK ? "ok " : "full ") + std::to_string(number) + '\n');
    }
    state.writing.clear();
    write();
  }

  Parts& parts_;
};

// Parses the lines of one connection and passes them on.
class Session final : public runtime::StreamHandler {
 public:
  Session(StreamPtr stream, caf::actor keeper)
      : stream_(std::move(stream)), keeper_(std::move(keeper)) {}

  void on_data(std::string_view bytes) override {
    received_ += bytes;
    for (auto end = received_.find('\n'); end != std::string::npos; end = received_.find('\n')) {
      std::uint64_t number = 0;
      std::from_chars(received_.data() + 4, received_.data() + end, number);
      received_.erase(0, end + 1);
      caf::anon_send(keeper_, put_atom::value, number, stream_);
    }
  }
  void on_closed(const Result<void>&) override { stream_.reset(); }

 private:
  StreamPtr stream_;
  caf::actor keeper_;
  std::string received_;
};

class Toy final : public ToyNode {
 public:
  explicit Toy(runtime::Platform& platform) : parts_{platform, {}, {}, {}} {}

  Result<void> start() {
    auto& disk = parts_.platform.disk();
    TROUPE_CHECK(disk.create_folders("/data"));
    TROUPE_TRY(lock, disk.lock("/data"));
    parts_.lock = std::move(lock);
    parts_.db = std::make_unique<Sqlite>(disk, "/data/numbers.db");
    TROUPE_CHECK(open_database());
    parts_.queue = parts_.platform.workers().queue("numbers", runtime::Workers::Kind::dedicated);
    parts_.platform.configure(config_);
    system_ = std::make_unique<caf::actor_system>(config_);
    keeper_ = system_->spawn<Keeper>(&parts_);
    TROUPE_TRY(listener, parts_.platform.network().listen(
                             {"0.0.0.0", 80}, [keeper = keeper_](StreamPtr stream) {
                               return std::make_shared<Session>(std::move(stream), keeper);
                             }));
    listener_ = std::move(listener);
    parts_.platform.log().info("toy.started", "the toy listens");
    return {};
  }

  ~Toy() override {
    listener_.reset();
    keeper_ = nullptr;
    system_.reset();
  }

  void stop() override {
    listener_.reset();
    caf::anon_send(keeper_, stop_atom::value);
  }

  Numbers numbers() override {
    Numbers result;
    for (const auto& text : parts_.db->query("SELECT number FROM numbers ORDER BY number")) {
      result.push_back(std::stoull(text));
    }
    return result;
  }
  std::uint64_t ticks() const override { return parts_.ticks; }

 private:
  Result<void> open_database() {
    try {
      auto& db = *parts_.db;
      db.query(
          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; "
          "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=20");
      const auto verdict = db.query("PRAGMA integrity_check");
      if (verdict.front() != "ok") return data_loss("/data/numbers.db: " + verdict.front());
      db.query("CREATE TABLE IF NOT EXISTS numbers(number INTEGER PRIMARY KEY, bytes BLOB)");
      return {};
    } catch (const std::runtime_error& error) {
      return unavailable("DISK_IO", error.what());
    }
  }

  Parts parts_;
  caf::actor_system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::actor keeper_;
  std::unique_ptr<runtime::Listener> listener_;
};

}  // namespace

StartProcess toy_node() {
  return [](runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
    auto toy = std::make_unique<Toy>(platform);
    TROUPE_CHECK(toy->start());
    return std::unique_ptr<SimulatedProcess>(std::move(toy));
  };
}

}  // namespace troupe::simulations
