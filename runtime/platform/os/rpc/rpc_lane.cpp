#include "runtime/platform/os/rpc/rpc_lane.hpp"

#include <grpc/support/time.h>

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "runtime/platform/os/rpc/rpc_call.hpp"

namespace troupe::runtime {
namespace {

// How often calls that take too long are looked for.
constexpr auto look_every = std::chrono::seconds{1};
// Then a batch is taken, though there may be more: who came first waits for the last.
constexpr int events_max = 64;

}  // namespace

void RpcLane::run() {
  const auto now = [] { return gpr_now(GPR_CLOCK_MONOTONIC); };
  const auto pause = gpr_time_from_seconds(look_every.count(), GPR_TIMESPAN);
  const gpr_timespec at_once = gpr_time_0(GPR_CLOCK_MONOTONIC);
  gpr_timespec look_at = gpr_time_add(now(), pause);
  for (int events = 0;;) {
    void* tag = nullptr;
    bool ok = false;
    const auto next = queue->AsyncNext(&tag, &ok, may_sleep() ? look_at : at_once);
    asleep_ = false;
    if (next == grpc::CompletionQueue::SHUTDOWN) return;
    if (next == grpc::CompletionQueue::GOT_EVENT) {
      event(tag, ok);
      // Woken for an answer, it found nothing else to do.
      if (tag != this && ++events < events_max) continue;
    }
    events = 0;
    flush();
    if (const gpr_timespec time = now(); gpr_time_cmp(time, look_at) >= 0) {
      look_at = gpr_time_add(time, pause);
      look_at_open();
    }
  }
}

bool RpcLane::may_sleep() {
  if (!told_.empty()) return false;
  const std::lock_guard guard{answered_mutex_};
  asleep_ = answered_.empty();
  return asleep_;
}

void RpcLane::drain() {
  void* tag = nullptr;
  for (bool ok = false; queue->Next(&tag, &ok);) event(tag, ok);
}

void RpcLane::event(void* tag, bool ok) {
  if (tag == this)
    woken_ = false;
  else
    RpcCallImpl::event(tag, ok);
}

void RpcLane::hand_over(std::shared_ptr<RpcCallImpl> answered) {
  // To the end under the mutex: until its answer is taken the call holds the queue open.
  const std::lock_guard guard{answered_mutex_};
  answered_.push_back(std::move(answered));
  if (asleep_.exchange(false) && !woken_.exchange(true))
    alarm_.Set(queue.get(), gpr_inf_past(GPR_CLOCK_MONOTONIC), this);
}

void RpcLane::flush() {
  if (!told_.empty())
    shared.together([this] {
      for (Calls told = std::exchange(told_, {}); const auto& call : told) call->tell_message();
    });
  Calls answered;
  {
    const std::lock_guard guard{answered_mutex_};
    answered.swap(answered_);
  }
  if (!answered.empty()) write(answered);
}

void RpcLane::write(Calls& answered) {
  if (answered.size() == 1) return answered.front()->write_answer();
  std::vector<std::pair<int, RpcCallImpl*>> by_connection;
  by_connection.reserve(answered.size());
  for (const auto& call : answered)
    by_connection.emplace_back(shared.connections.descriptor_of(call->peer()), call.get());
  std::ranges::stable_sort(by_connection, {}, [](const auto& one) { return one.first; });
  for (auto first = by_connection.begin(); first != by_connection.end();) {
    const auto end = std::find_if(first, by_connection.end(),
                                  [&](const auto& one) { return one.first != first->first; });
    const RpcCork cork{end - first > 1 ? first->first : -1};
    for (; first != end; ++first) first->second->write_answer();
  }
}

// Cancels those that are silent, or all.
void RpcLane::look_at_open() {
  const auto now = std::chrono::steady_clock::now();
  for (RpcCallImpl* call : open) {
    if (cut || call->waits_since(now - shared.limits.message_time))
      call->cancel();
    else
      call->tell_if_overdue(now - shared.limits.answer_time);
  }
}

void RpcLane::enter() {
  const std::lock_guard guard{mutex_};
  ++outstanding_;
}

void RpcLane::leave() {
  std::function<void()> idle;
  {
    const std::lock_guard guard{mutex_};
    if (--outstanding_ == 0) idle = std::exchange(idle_, nullptr);
  }
  if (idle) idle();
}

void RpcLane::wait_until_idle() {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_idle = false;
  {
    const std::lock_guard guard{mutex_};
    if (outstanding_ == 0) return;
    idle_ = [&] {
      const std::lock_guard idle_guard{mutex};
      is_idle = true;
      changed.notify_all();
    };
  }
  std::unique_lock lock{mutex};
  changed.wait(lock, [&] { return is_idle; });
}

}  // namespace troupe::runtime
