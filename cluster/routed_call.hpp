// One call on its way to whoever leads its shard: attempt after attempt under one message id.
//
// An answer of the shard that leads is the caller's. That a replica does not lead, cannot be
// reached or did not say what came of the call leads to another attempt: at the node that the
// answer named as leader, at once, else at the next replica after a pause. That may run a command
// that has run already; its shard knows it by its id.
//
// Threads: attempts come one after the other, on whatever thread the last one's answer came.
#pragma once

#include <memory>
#include <string>

#include "cluster/router.hpp"

namespace troupe::cluster {

class RoutedCall final : public std::enable_shared_from_this<RoutedCall> {
 public:
  RoutedCall(Router& router, Router::ShardRoute& route, runtime::Bucket bucket,
             actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
             actors::ReplyTo reply_to);
  ~RoutedCall();  // answers with OUTCOME_UNKNOWN if nobody did: its timer was dropped
  RoutedCall(const RoutedCall&) = delete;
  RoutedCall& operator=(const RoutedCall&) = delete;

  void attempt();

 private:
  std::string choose();
  void came(const std::string& node, Result<actors::Reply> reply, const std::string& leader);
  void remember(const std::string& leader);
  void again(const std::string& leader);
  bool leaderless(const std::string& leader);
  void give_up(Error last);
  void answer(Result<actors::Reply> reply);

  Router& router_;
  Router::ShardRoute& route_;
  const runtime::Bucket bucket_;
  const actors::CallBase call_;
  const actors::CallOptions options_;
  const MonotonicTime deadline_;
  actors::ReplyTo reply_to_;
  std::uint32_t attempts_ = 0;
  std::size_t turn_ = 0;     // of the replicas, when nobody is known to lead
  std::string hint_;         // who leads, as the last answer said
  std::uint32_t hints_ = 0;  // followed since the last pause
  Duration pause_;
  bool may_have_run_ = false;
};

}  // namespace troupe::cluster
