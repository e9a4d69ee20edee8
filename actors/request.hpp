// One call on its way to a shard, and the way back for its reply.
//
// A Request is made by a Client (in process or at the gateway), handed to the shard's actor inside
// a message, and answered exactly once. Whoever drops it unanswered (a dead actor's mailbox, a shut
// down shard) answers it with UNAVAILABLE / OUTCOME_UNKNOWN by its destructor, so that no caller
// waits for ever.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "actors/message_id.hpp"
#include "actors/on_behalf_of.hpp"
#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::actors {

struct ServiceType;

// A serialised reply, with where it stands in the shard's history.
//
// `shard_index` is an index of the log of shard `shard` of the service. A command took effect
// there. A read shows all that its entity did up to there and nothing that it did later. A repeated
// reply may say a later index than that of the command's effect, never an earlier one.
struct Reply {
  std::string payload;
  std::uint64_t shard_index = 0;
  bool repeated = false;  // a stored reply to a command that had run before
  std::uint32_t shard = 0;
  // Of a read that may be stale: for how long at most the shard may have gone on since. Then
  // `shard_index` is what the replica that answered has applied.
  std::optional<Duration> age = std::nullopt;
  // Of the entity when it was answered. Each change makes it one more; the first is drawn, so that
  // an entity that was deleted and made again has others. 0: there is no entity, or its version is
  // not known, as of a repeated reply.
  std::uint64_t version = 0;
};

// Runs on whatever thread the answer arises (a shard's actor, the caller's own): it must not block
// and must not throw; it posts to an actor, fulfils a promise or writes to a stream.
using ReplyTo = std::function<void(Result<Reply>)>;

class Request {
 public:
  Request() = default;
  Request(Request&&) = delete;
  ~Request();  // answers with OUTCOME_UNKNOWN if nobody did

  const ServiceType* service = nullptr;
  std::uint32_t method = 0;  // index into service->methods
  std::string key;           // the entity
  std::uint16_t bucket = 0;  // of the key, see cluster/router
  std::string payload;       // serialised request message
  MessageId id;              // ignored by read-only methods
  std::string caller;        // scope of the id: identity, or the calling service and entity
  MonotonicTime deadline{};  // not run after this; MonotonicTime::max(): none
  // The entity must have this version; 0: there must be none.
  std::optional<std::uint64_t> if_version;
  bool stale = false;  // a read that any replica may answer, from what its file holds
  std::string trace;   // W3C traceparent, empty: none
  OnBehalfOf on_behalf_of;
  ReplyTo reply_to;
  std::atomic<std::int64_t>* in_flight = nullptr;  // counted down when it is answered

  void answer(Result<Reply> reply);  // at most once; later calls are a bug and abort
  bool answered() const { return !reply_to; }
};

using RequestPtr = std::shared_ptr<Request>;

}  // namespace troupe::actors
