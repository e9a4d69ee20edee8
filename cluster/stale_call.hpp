// One read that may be stale, on its way to a replica that answers: the one on this node if there
// is one, else any. Replicas that cannot be reached or refuse are passed over at once; when none
// has answered they are asked again after a pause, for as long as a call without a leader is tried.
//
// Which of the others is asked first follows from the key's bucket, so that keys are spread over
// the replicas and one key is read at one replica while that answers.
//
// Threads: attempts come one after the other, on whatever thread the last one's answer came.
#pragma once

#include <memory>
#include <string>

#include "cluster/router.hpp"

namespace troupe::cluster {

class StaleCall final : public std::enable_shared_from_this<StaleCall> {
 public:
  StaleCall(Router& router, Router::ShardRoute& route, runtime::Bucket bucket,
            actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
            actors::ReplyTo reply_to);
  ~StaleCall();  // answers with UNAVAILABLE if nobody did: its timer was dropped
  StaleCall(const StaleCall&) = delete;
  StaleCall& operator=(const StaleCall&) = delete;

  void attempt();

 private:
  const std::string& choose() const;
  void came(Result<actors::Reply> reply);
  void again(Error last);
  void answer(Result<actors::Reply> reply);

  Router& router_;
  Router::ShardRoute& route_;
  const runtime::Bucket bucket_;
  const actors::CallBase call_;
  const actors::CallOptions options_;
  const MonotonicTime deadline_;
  const MonotonicTime give_up_at_;
  actors::ReplyTo reply_to_;
  std::uint32_t attempts_ = 0;
  std::size_t first_ = 0;  // of route_.nodes
  std::size_t turn_ = 0;   // of this round
  bool too_old_ = false;   // said a replica
  Duration pause_;
};

}  // namespace troupe::cluster
