// How long a connection waits for what.
#include <algorithm>
#include <utility>

#include "cluster/gateway/http/http_connection.hpp"
#include "cluster/gateway/http/problem.hpp"

namespace troupe::cluster {

void HttpConnection::on_wake() {
  std::vector<Overdue> overdue_now;
  bool pump_on = false;
  {
    const std::lock_guard lock{mutex_};
    if (!stream_) return;
    const auto now = core_->platform.clock().now();
    wake_ = MonotonicTime::max();
    held_ = held_ && now < hold_end_;
    if (held_) want_wake(hold_end_, now);
    overdue_now = overdue(now);
    steer_reading();
    pump_on = may_pump();
    pumping_ = pumping_ || pump_on;
  }
  for (const Overdue& one : overdue_now) {
    HttpResponse instead = one.answer ? one.answer->overdue() : problem(answer_overdue());
    if (answer(one.sequence, std::move(instead), true)) core_->overdue.say(one.call);
  }
  if (pump_on) pump();
}

void HttpConnection::want_wake(MonotonicTime when, MonotonicTime now) {
  if (when >= wake_) return;
  wake_ = when;
  stream_->wake_after(when - now);
}

// The requests that have waited too long for their answers; for the next one it will wake.
std::vector<HttpConnection::Overdue> HttpConnection::overdue(MonotonicTime now) {
  std::vector<Overdue> found;
  if (phase_ != Phase::reading && phase_ != Phase::finishing) return found;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const Slot& slot = slots_[i];
    if (slot.answered) continue;
    const auto due = slot.since + limits_.answer_time;
    if (due > now) {
      want_wake(due, now);
      break;
    }
    found.push_back({first_ + i, slot.method + ' ' + slot.target.substr(0, slot.target.find('?')),
                     slot.if_overdue});
  }
  return found;
}

void HttpConnection::hold_back(bool refused, MonotonicTime now) {
  const bool again = std::exchange(refused_, refused) && refused;
  const Duration hold = refused ? core_->pace.refused(now) : Duration::zero();
  if (!again || hold == Duration::zero()) return;
  held_ = true;
  hold_end_ = now + hold;
  want_wake(hold_end_, now);
}

void HttpConnection::set_timer(MonotonicTime now) {
  if (phase_ == Phase::closed) return;
  auto end = MonotonicTime::max();
  // A quarter more, in which bytes that still arrive are answered 408.
  if (begun_) end = request_limit_ + (in_body_ ? limits_.body_time : limits_.header_time) / 4;
  if (undrained_ || phase_ == Phase::closing) {
    end = std::min(end, progress_ + limits_.write_time);
  } else if (!slots_.empty()) {
    // When the answers are written from elsewhere, this holds until they are taken.
    end = std::min(end, slots_.back().since + limits_.answer_time + limits_.write_time);
  } else if (!begun_) {
    end = progress_ + limits_.idle_time;
  }
  const bool lingers = phase_ == Phase::reading && idle() && !undrained_;
  if (stopping_) end = std::min(end, lingers ? linger_end_ : stop_deadline_);
  // Zero would mean never.
  stream_->expire_after(std::max<Duration>(end - now, std::chrono::milliseconds{1}));
}

}  // namespace troupe::cluster
