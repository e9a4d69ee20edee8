#include "cluster/gateway/http/http_connection.hpp"

#include <algorithm>
#include <exception>
#include <utility>

#include "cluster/gateway/http/http_serializer.hpp"
#include "cluster/gateway/http/problem.hpp"

namespace troupe::cluster {
namespace {

constexpr std::size_t kept_bytes_max = 4096;

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpServer::Core> core,
                               std::shared_ptr<runtime::Stream> stream, std::uint64_t id,
                               bool surplus)
    : core_{std::move(core)},
      limits_{core_->options.limits},
      id_{id},
      surplus_{surplus},
      remote_{stream->remote()},
      stream_{std::move(stream)},
      parser_{limits_} {}

HttpConnection::~HttpConnection() {
  core_->large_bodies_bytes -= large_counted_;
}

void HttpConnection::start() {
  const std::lock_guard lock{mutex_};
  const auto now = core_->platform.clock().now();
  progress_ = now;
  if (phase_ == Phase::reading) set_timer(now);
}

void HttpConnection::on_data(std::string_view bytes) {
  {
    const std::lock_guard lock{mutex_};
    if (phase_ != Phase::reading) return;
    if (taken_ > 0) input_.erase(0, std::exchange(taken_, 0));
    input_ += bytes;
    unparsed_ = true;
    if (!may_pump()) return;
    pumping_ = true;
  }
  pump();
}

void HttpConnection::on_drained() {
  {
    const std::lock_guard lock{mutex_};
    if (!stream_) return;
    undrained_ = stream_->unsent() > 0;
    progress_ = core_->platform.clock().now();
    steer_reading();
    set_timer(progress_);
    if (!may_pump()) return;
    pumping_ = true;
  }
  pump();
}

bool HttpConnection::count_bodies() {
  const std::size_t body = parser_.body_bytes();
  const std::size_t now = large_unanswered_ + (body > limits_.large_body_bytes ? body : 0);
  const std::size_t before = std::exchange(large_counted_, now);
  if (now == before) return true;
  return (core_->large_bodies_bytes += now - before) <= limits_.large_bodies_bytes_max ||
         now < before;
}

void HttpConnection::uncount_body(std::size_t bytes) {
  large_unanswered_ -= bytes;
  core_->large_bodies_bytes -= bytes;
  large_counted_ -= bytes;
}

void HttpConnection::on_closed(const Result<void>&) {
  std::shared_ptr<runtime::Stream> stream;  // let go of outside the mutex
  {
    const std::lock_guard lock{mutex_};
    phase_ = Phase::closed;
    stream = std::move(stream_);
    drop_input();
  }
  core_->remove(id_);
}

void HttpConnection::stop(MonotonicTime deadline) {
  const std::lock_guard lock{mutex_};
  const auto now = core_->platform.clock().now();
  stopping_ = true;
  stop_deadline_ = deadline;
  linger_end_ = std::min(deadline, now + limits_.stop_linger);
  if (over(now) && !pumping_) {
    close_stream(now);
  } else {
    set_timer(now);
  }
}

void HttpConnection::abort() {
  const std::lock_guard lock{mutex_};
  if (!stream_) return;
  phase_ = Phase::closing;
  stream_->abort();
}

bool HttpConnection::answer(std::uint64_t sequence, HttpResponse response, bool overdue) {
  const auto now = core_->platform.clock().now();
  HttpExchange exchange;
  std::string method;
  std::string target;
  bool pump_on = false;
  {
    const std::lock_guard lock{mutex_};
    if (sequence < first_ || slots_[sequence - first_].answered) {
      if (const auto held = overdue_bodies_.find(sequence);
          !overdue && held != end(overdue_bodies_)) {
        uncount_body(held->second);
        overdue_bodies_.erase(held);
      }
      return false;
    }
    auto& slot = slots_[sequence - first_];
    slot.answered = true;
    slot.if_overdue.reset();
    method = std::move(slot.method);
    target = std::move(slot.target);
    exchange.took = now - slot.since;
    exchange.request_bytes = slot.request_bytes;
    if (slot.request_bytes > limits_.large_body_bytes) {
      if (overdue)
        overdue_bodies_.emplace(sequence, slot.request_bytes);
      else
        uncount_body(slot.request_bytes);
    }
    exchange.client_gone = phase_ == Phase::closing || phase_ == Phase::closed;
    if (!exchange.client_gone) {
      const bool last = &slot == &slots_.back() && !begun_;
      if (response.close || (stopping_ && last)) {
        slot.close = true;
        phase_ = std::max(phase_, Phase::finishing);
        drop_input();
        set_timer(now);  // it may have been for the request that is not read any further
      }
      slot.answer = serialize(response, {slot.head, slot.close, slot.keep_alive},
                              date_.at(core_->platform.clock().wall()));
      progress_ = now;
      hold_back(response.status == 429, now);
      flush();
      steer_reading();
      pump_on = may_pump();
      pumping_ = pumping_ || pump_on;
    }
  }
  if (core_->options.observe) {
    exchange.method = method;
    exchange.target = target;
    exchange.route = response.route;
    exchange.trace = response.trace;
    exchange.status = response.status;
    exchange.response_bytes = response.body.size();
    exchange.remote = &remote_;
    core_->options.observe(exchange);
  }
  if (pump_on) pump();
  return true;
}

void HttpConnection::if_overdue(std::uint64_t sequence,
                                std::shared_ptr<const OverdueAnswer> answer) {
  const std::lock_guard lock{mutex_};
  if (sequence < first_ || slots_[sequence - first_].answered) return;
  slots_[sequence - first_].if_overdue = std::move(answer);
}

void HttpConnection::pump() {
  for (;;) {
    Step step;
    if (!next_step(step)) return;
    if (step.refusal) {
      answer(step.sequence, problem(step.refusal->status, step.refusal->error));
    } else {
      dispatch(std::move(*step.request), step.sequence);
    }
  }
}

void HttpConnection::dispatch(HttpRequest request, std::uint64_t sequence) {
  Respond respond{shared_from_this(), sequence};
  const runtime::Gate::Visit visit{core_->gate};
  if (!visit) return;  // the server is gone
  try {
    core_->handler(std::move(request), std::move(respond));
  } catch (const std::exception& mistake) {
    core_->platform.log().error("http.handler_failed", "the handler of an HTTP request threw",
                                {{"what", mistake.what()}});
  }
}

bool HttpConnection::next_step(Step& step) {
  const std::lock_guard lock{mutex_};
  const auto now = core_->platform.clock().now();
  if (phase_ == Phase::reading && unparsed_ && !full() && !last_is_taken()) {
    if (surplus_) {
      refuse(step,
             {503, unavailable("TOO_MANY_CONNECTIONS",
                               "too many connections are open; try again later")},
             now);
      return true;
    }
    std::size_t taken = 0;
    const auto state = parser_.parse(std::string_view{input_}.substr(taken_), taken);
    taken_ += taken;
    if (parser_.begun() && !begun_) {
      begun_ = true;
      request_limit_ = now + limits_.header_time;
    }
    if (parser_.in_body() && !in_body_) {
      in_body_ = true;
      request_limit_ = now + limits_.body_time;
    }
    if (state != HttpParser::State::refused && !count_bodies()) {
      refuse(step,
             {503, unavailable("TOO_MANY_BODY_BYTES",
                               "the node holds as many large bodies as it has memory for; try "
                               "again later")},
             now);
      return true;
    }
    switch (state) {
      case HttpParser::State::ready:
        take_request(step, now);
        return true;
      case HttpParser::State::refused:
        refuse(step, parser_.refusal(), now);
        return true;
      case HttpParser::State::more:
        unparsed_ = false;
        if (taken_ == input_.size()) {
          input_.clear();
          taken_ = 0;
          // A connection that once took a large body does not keep the room for it.
          if (input_.capacity() > kept_bytes_max) input_.shrink_to_fit();
        }
        continue_due_ = continue_due_ || parser_.wants_continue();
        if (begun_ && now > request_limit_) {
          refuse(step,
                 {408, deadline_exceeded("REQUEST_TIMEOUT", "the request took too long to arrive")},
                 now);
          return true;
        }
        flush();
        break;
    }
  }
  pumping_ = false;
  if (over(now)) {
    close_stream(now);
  } else {
    steer_reading();
    set_timer(now);
  }
  return false;
}

std::uint64_t HttpConnection::open_slot(MonotonicTime now) {
  auto& slot = slots_.emplace_back();
  slot.since = now;
  begun_ = false;
  in_body_ = false;
  continue_due_ = false;
  progress_ = now;
  return first_ + slots_.size() - 1;
}

void HttpConnection::take_request(Step& step, MonotonicTime now) {
  step.request = parser_.take();
  step.sequence = open_slot(now);
  auto& request = *step.request;
  request.remote = remote_;
  auto& slot = slots_.back();
  slot.method = request.method;
  slot.target = request.target;
  slot.request_bytes = request.body.size();
  if (slot.request_bytes > limits_.large_body_bytes) large_unanswered_ += slot.request_bytes;
  want_wake(slot.since + limits_.answer_time, now);
  slot.head = request.method == "HEAD";
  slot.close = !request.keep_alive;
  slot.keep_alive = request.keep_alive && request.version < 11;
  if (slot.close) {
    phase_ = Phase::finishing;
    drop_input();
  } else {
    unparsed_ = taken_ < input_.size();
  }
}

void HttpConnection::refuse(Step& step, HttpParser::Refusal why, MonotonicTime now) {
  step.sequence = open_slot(now);
  step.refusal = std::move(why);
  slots_.back().close = true;
  phase_ = Phase::finishing;
  drop_input();
}

bool HttpConnection::full() const {
  return held_ || slots_.size() >= limits_.in_flight_max ||
         (undrained_ && stream_->unsent() > limits_.unsent_bytes_max);
}

bool HttpConnection::idle() const {
  return slots_.empty() && !begun_;
}

bool HttpConnection::over(MonotonicTime now) const {
  return stopping_ && phase_ == Phase::reading && idle() && now >= linger_end_;
}

bool HttpConnection::last_is_taken() const {
  return stopping_ && !begun_ && !slots_.empty();
}

bool HttpConnection::may_pump() const {
  return phase_ == Phase::reading && unparsed_ && !pumping_ && !full();
}

void HttpConnection::flush() {
  if (phase_ != Phase::reading && phase_ != Phase::finishing) return;
  std::string out;
  bool close = false;
  while (!close && !slots_.empty() && !slots_.front().answer.empty()) {
    auto& slot = slots_.front();
    if (out.empty()) {
      out = std::move(slot.answer);
    } else {
      out += slot.answer;
    }
    close = slot.close;
    slots_.pop_front();
    ++first_;
  }
  if (continue_due_ && !close && slots_.empty()) {
    out += "HTTP/1.1 100 Continue\r\n\r\n";
    continue_due_ = false;
  }
  if (!out.empty()) {
    undrained_ = true;
    stream_->write(std::move(out));
  }
  if (close || (over(progress_) && !pumping_)) close_stream(progress_);
}

void HttpConnection::drop_input() {
  input_.clear();
  taken_ = 0;
  unparsed_ = false;
  begun_ = false;
  in_body_ = false;
  continue_due_ = false;
}

void HttpConnection::close_stream(MonotonicTime now) {
  progress_ = now;
  phase_ = Phase::closing;
  set_timer(now);  // what is unsent is still waited for, but not for ever
  stream_->close();
}

void HttpConnection::steer_reading() {
  if (phase_ == Phase::closing || phase_ == Phase::closed) return;
  const bool pause = phase_ == Phase::reading && full();
  if (pause == paused_) return;
  paused_ = pause;
  if (pause) {
    stream_->pause_reading();
  } else {
    stream_->resume_reading();
  }
}

}  // namespace troupe::cluster
