// One read that may be stale, on its way to a replica that answers: the one on this node if there
// is one, else any. Replicas that cannot be reached or refuse are passed over at once; when none
// has answered they are asked again after a pause, for as long as a call without a leader is tried;
// not if one of them said that its rows are too old.
//
// Which of the others is asked first follows from the key's bucket, so that keys are spread over
// the replicas and one key is read at one replica while that answers.
#pragma once

#include <string>

#include "cluster/outgoing_call.hpp"

namespace troupe::cluster {

class StaleCall final : public OutgoingCall {
 public:
  StaleCall(Router& router, const Router::ServiceRoute& service, runtime::Bucket bucket,
            actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
            actors::ReplyTo reply_to);
  ~StaleCall() override;  // answers with SHARD_UNAVAILABLE if nobody did

 private:
  std::string choose() override;
  void came(const std::string& node, Result<actors::Reply> reply,
            const std::string& leader) override;
  void give_up(Error last) override;
  void route_changed() override { choose_first(); }
  void choose_first();

  const MonotonicTime give_up_at_;
  std::size_t first_ = 0;  // of nodes_
  bool too_old_ = false;   // said a replica
};

}  // namespace troupe::cluster
