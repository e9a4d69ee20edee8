// A call on its way to some replica of its shard, attempt after attempt: what RoutedCall (to the
// leader) and StaleCall (to any replica) have in common.
//
// Threads: attempts come one after the other, on whatever thread the last one's answer came.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>

#include "cluster/router.hpp"

namespace troupe::cluster {

bool is_one_of(const Error& why, std::initializer_list<std::string_view> reasons);

class OutgoingCall : public std::enable_shared_from_this<OutgoingCall> {
 public:
  OutgoingCall(const OutgoingCall&) = delete;
  OutgoingCall& operator=(const OutgoingCall&) = delete;

  void attempt();

 protected:
  // `stale`: any replica may answer.
  OutgoingCall(Router& router, const Router::ServiceRoute& service, runtime::Bucket bucket,
               actors::CallBase call, actors::CallOptions options, MonotonicTime deadline,
               actors::ReplyTo reply_to, bool stale);
  // Derived classes answer in theirs if nobody did: their timer was dropped.
  virtual ~OutgoingCall() = default;

  virtual std::string choose() = 0;  // the node to ask, one of nodes_ or one that was named
  virtual void came(const std::string& node, Result<actors::Reply> reply,
                    const std::string& leader) = 0;
  virtual void give_up(Error last) = 0;
  virtual void route_changed() {}  // the bucket has another shard since the last attempt

  bool answered() const { return !reply_to_; }
  void answer(Result<actors::Reply> reply);
  // The next attempt comes after a pause, each twice as long as the last one. False: never.
  bool attempt_later();

  // Said by the mesh or a replica: the call did not run by this attempt.
  static bool not_run(const Error& why);
  // Another replica, or this one later, may answer otherwise. Everything else is said by a shard
  // that serves: that a key is quarantined, or an id ahead of the clock, no other replica changes.
  static bool try_again(const Error& why);
  // The node has no link to that one, and is not to have any: the hint was old, or is newer than
  // it.
  static bool is_unknown(const Error& why);

  Router& router_;
  const Router::ServiceRoute& service_;
  Router::ShardRoute* route_;  // of the shard that has the bucket, as of this attempt
  const runtime::Bucket bucket_;
  const actors::CallBase call_;
  const actors::CallOptions options_;
  const MonotonicTime deadline_;
  std::uint32_t attempts_ = 0;
  Router::Nodes nodes_;   // where the shard's replicas are to be, as of this attempt
  std::size_t turn_ = 0;  // of the replicas
  Duration pause_;

 private:
  Router::ShardRoute& counted_at_;
  actors::ReplyTo reply_to_;
  const bool stale_;
};

}  // namespace troupe::cluster
