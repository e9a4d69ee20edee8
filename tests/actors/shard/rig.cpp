#include "tests/actors/shard/rig.hpp"

#include <unistd.h>

namespace troupe::actors::testing {

Rig::Rig(ShardOptions shard_options) : options(shard_options) {
  std::string pattern = (std::filesystem::temp_directory_path() / "troupe-shard-XXXXXX").string();
  folder = mkdtemp(pattern.data());
  queue = std::make_shared<ManualQueue>();
}

Rig::~Rig() {
  crash();
  std::filesystem::remove_all(folder);
}

ShardSpec Rig::spec() const {
  ShardSpec spec;
  static const Service service = counter_service();
  spec.service = &service;
  spec.folder = folder.string();
  spec.options = options;
  return spec;
}

ShardSurroundings Rig::surroundings() {
  ShardSurroundings surroundings;
  surroundings.platform = &platform;
  surroundings.log = &log;
  surroundings.queue = queue;
  surroundings.vitals = vitals;
  surroundings.splits = splits;
  surroundings.consensus = [this](runtime::GroupId, Executor&, ConsensusObserver& observer) {
    auto made = std::make_unique<ManualConsensus>(group_log, observer);
    consensus = made.get();
    return made;
  };
  return surroundings;
}

void Rig::start() {
  executor = std::make_shared<ManualExecutor>(platform.clock());
  shard = std::make_unique<Shard>(spec(), surroundings(), executor,
                                  [this](const Error& why) { failed = why; });
  shard->start();
  pump();
}

void Rig::crash() {
  if (executor) {
    executor->jobs.clear();
    executor->timers.clear();
  }
  shard.reset();
  consensus = nullptr;
  while (queue->run_one()) {
  }
  if (executor) executor->jobs.clear();
}

std::shared_ptr<Answer> Rig::send(CounterMethod method, const std::string& key,
                                  const std::string& payload, std::optional<MessageId> id,
                                  bool stale, MonotonicTime deadline) {
  auto answer = std::make_shared<Answer>();
  auto request = std::make_shared<Request>();
  request->service = &counter_type();
  request->method = method;
  request->key = key;
  request->bucket = bucket;
  request->payload = payload;
  request->id = id ? *id : fresh_id();
  request->caller = "test";
  request->on_behalf_of = on_behalf_of;
  request->if_version = if_version;
  request->stale = stale;
  request->deadline = deadline;
  request->reply_to = [answer](Result<Reply> reply) { answer->result = std::move(reply); };
  shard->handle(std::move(request));
  return answer;
}

void Rig::pump_closures() {
  while (executor->run_one()) {
  }
}

void Rig::pump() {
  while (executor->run_one() || queue->run_one()) {
  }
}

void Rig::settle() {
  pump();
  while (consensus && consensus->uncommitted() > 0) {
    consensus->commit(1);
    pump();
  }
}

void Rig::pass(Duration time) {
  settle();
  const MonotonicTime until =
      platform.clock().now() + std::chrono::duration_cast<MonotonicTime::duration>(time);
  while (!executor->timers.empty() && executor->timers.begin()->first <= until) {
    const auto due = executor->timers.begin();
    platform.clock().advance(due->first - platform.clock().now());
    auto job = std::move(due->second);
    executor->timers.erase(due);
    job();
    settle();
  }
  platform.clock().advance(until - platform.clock().now());
}

}  // namespace troupe::actors::testing
