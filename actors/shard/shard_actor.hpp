// A shard as a supervised CAF actor: one mailbox for calls and for what comes back from the disk
// and the group, so that all of the shard's code runs one step at a time.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "actors/shard/shard.hpp"

namespace troupe::actors {

// Spawns the actor, to be called in ChildSpec::start. It opens its file at once. Asked to end with
// exit_reason::user_shutdown it finishes what it proposed first. A failure ends it with the Error.
caf::actor spawn_shard(caf::actor_system& system, ShardSpec spec, ShardSurroundings surroundings);

// Any thread. A request for a shard that has ended is answered by its destructor.
void send_request(const caf::actor& shard, RequestPtr request);

// While there is one on a thread, what it sends with send_request() waits for its end, and then
// goes to each shard as one message: for a thread that is woken for each of many calls, the waking
// costs more than the call. In another one's life it does nothing.
class RequestBatch {
 public:
  RequestBatch();
  ~RequestBatch();
  RequestBatch(const RequestBatch&) = delete;
  RequestBatch& operator=(const RequestBatch&) = delete;

  void add(const caf::actor& shard, RequestPtr request);

 private:
  std::vector<std::pair<caf::actor, std::vector<RequestPtr>>> waiting_;  // of a few shards
};

void send_checkpoint(const caf::actor& shard);
// Shard::hand_over(); the ticket is let go of when it is over, or the shard has ended.
void send_hand_over(const caf::actor& shard, std::shared_ptr<void> ticket,
                    const std::string& node = {});
// Shard::set_options(), which this actor's later lives begin with, too.
void send_options(const caf::actor& shard, const ShardOptions& options);
// Runs inside the actor, between two messages; dropped if the shard has ended.
void send_job(const caf::actor& shard, std::function<void(Shard&)> job);

// For ChildSpec::start: an actor that runs closures and nothing else, until it is told to end.
caf::actor spawn_executor(caf::actor_system& system);

// Runs closures inside a shard's actor, or that of spawn_executor(); keeps no actor alive.
std::shared_ptr<Executor> executor_of(const caf::actor& actor);

}  // namespace troupe::actors
