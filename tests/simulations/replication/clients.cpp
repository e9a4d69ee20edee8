#include "tests/simulations/replication/clients.hpp"

#include <algorithm>

namespace troupe::simulations {

using namespace std::chrono_literals;

void Client::run() {
  world_.after(std::chrono::milliseconds{dice_.next() % pause_ms}, [this] { begin(); });
}

void Client::begin() {
  if (finishing_) return;
  busy_ = true;
  ++operation_;
  if (wanders) node_ = dice_.next() % world_.machines().size();
  current_ = {dice_.next() % 2 == 0, static_cast<int>(dice_.next() % keys_), world_.now(), {}, 0};
  const auto since = std::chrono::duration_cast<std::chrono::milliseconds>(world_.now());
  id_ = actors::MessageId::make(world_begin + since, dice_);
  attempt();
}

void Client::attempt() {
  if (!busy_) return;
  const std::uint64_t number = operation_;
  const std::uint64_t this_try = ++tries_;
  ++attempts;
  // A reply may never come: try again elsewhere.
  world_.after(wanders ? 150ms : 1500ms, [this, number, this_try] {
    if (!busy_ || operation_ != number || tries_ != this_try) return;
    ++node_;
    attempt();
  });
  Machine& machine = *world_.machines()[node_ % world_.machines().size()];
  if (!machine.up()) {
    ++node_;
    world_.after(20ms, [this, number, this_try] {
      if (busy_ && operation_ == number && tries_ == this_try) attempt();
    });
    return;
  }
  auto request = std::make_shared<actors::Request>();
  request->service = &actors::testing::counter_type();
  request->method = current_.read ? actors::testing::get : actors::testing::add;
  request->key = "k" + std::to_string(current_.key);
  request->bucket = static_cast<std::uint16_t>(current_.key);
  request->payload = current_.read ? "" : "1";
  request->id = id_;
  request->caller = "client" + std::to_string(number_);
  request->deadline = MonotonicTime::max();
  request->reply_to = [this, number, &machine,
                       life = machine.lives()](Result<actors::Reply> reply) {
    // What a process says while it dies was never said.
    if (!machine.up() || machine.lives() != life)
      reply = unavailable("OUTCOME_UNKNOWN", "the process died");
    world_.after(200us, [this, number, reply = std::move(reply)] { answered(number, reply); });
  };
  actors::send_request(dynamic_cast<ReplicaNode&>(*machine.process()).shard(), std::move(request));
}

void Client::answered(std::uint64_t operation, Result<actors::Reply> reply) {
  if (!busy_ || operation != operation_) return;
  if (!reply) {
    ++refused;
    ++errors[reply.error().reason];
    ++node_;
    const std::uint64_t this_try = ++tries_;
    world_.after(std::chrono::milliseconds{5 + dice_.next() % 40}, [this, operation, this_try] {
      if (busy_ && operation_ == operation && tries_ == this_try) attempt();
    });
    return;
  }
  current_.returned = world_.now();
  current_.value = std::stoll(reply->payload);
  history.push_back(current_);
  busy_ = false;
  run();
}

std::string not_linearizable(const std::vector<Operation>& operations) {
  std::vector<Operation> by_call = operations;
  std::sort(by_call.begin(), by_call.end(),
            [](const Operation& a, const Operation& b) { return a.called < b.called; });
  std::vector<Operation> by_return = operations;
  std::sort(by_return.begin(), by_return.end(),
            [](const Operation& a, const Operation& b) { return a.returned < b.returned; });
  std::map<int, std::int64_t> seen;  // by key: the highest value that anybody has returned with
  std::map<std::pair<int, std::int64_t>, int> adds;
  auto ended = by_return.begin();
  for (const Operation& one : by_call) {
    for (; ended != by_return.end() && ended->returned < one.called; ++ended)
      seen[ended->key] = std::max(seen[ended->key], ended->value);
    const std::int64_t floor = seen[one.key] + (one.read ? 0 : 1);
    if (one.value < floor)
      return std::string{one.read ? "a read" : "an add"} + " of key " + std::to_string(one.key) +
             " returned " + std::to_string(one.value) + ", but " + std::to_string(seen[one.key]) +
             " was returned before it was called at " + std::to_string(one.called.count()) + " ns";
    if (!one.read && ++adds[{one.key, one.value}] > 1)
      return "two adds of key " + std::to_string(one.key) + " returned " +
             std::to_string(one.value);
  }
  return {};
}

}  // namespace troupe::simulations
