// One call on its way to whoever leads its shard: attempt after attempt under one message id.
//
// An answer of the shard that leads is the caller's. That a replica does not lead, cannot be
// reached or did not say what came of the call leads to another attempt: at the node that the
// answer named as leader, at once, else at the next replica after a pause. That may run a command
// that has run already; its shard knows it by its id.
#pragma once

#include <string>

#include "cluster/outgoing_call.hpp"

namespace troupe::cluster {

class RoutedCall final : public OutgoingCall {
 public:
  RoutedCall(Router& router, const Router::ServiceRoute& service, runtime::Bucket bucket,
             actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
             actors::ReplyTo reply_to);
  ~RoutedCall() override;  // answers with OUTCOME_UNKNOWN if nobody did

 private:
  std::string choose() override;
  void came(const std::string& node, Result<actors::Reply> reply,
            const std::string& leader) override;
  void give_up(Error last) override;
  void route_changed() override { hint_.clear(); }
  void remember(const std::string& leader);
  void again(const std::string& leader);
  bool leaderless(const std::string& leader);

  std::string hint_;         // who leads, as the last answer said
  std::uint32_t hints_ = 0;  // followed since the last pause
  bool may_have_run_ = false;
};

}  // namespace troupe::cluster
