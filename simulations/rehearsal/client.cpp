#include "simulations/rehearsal/client.hpp"

#include <algorithm>
#include <cstdio>

#include "simulations/world/clock.hpp"

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;

// Streams of one client: its script's, its retries', its connections'.
std::uint64_t stream_of(std::uint64_t client, std::uint64_t which) {
  return client * 4 + which;
}

// A UUID version 7 of RFC 9562, as a library of a client makes it.
std::string uuid(Duration now, RandomStream& random) {
  const auto ms = static_cast<std::uint64_t>(
      world_begin.time_since_epoch().count() +
      std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
  const auto a = random.next();
  const auto b = random.next();
  char text[40];
  std::snprintf(text, sizeof text, "%08x-%04x-7%03x-%04x-%012llx", static_cast<unsigned>(ms >> 16),
                static_cast<unsigned>(ms & 0xffff), static_cast<unsigned>(a & 0xfff),
                static_cast<unsigned>(0x8000 | (a >> 12 & 0x3fff)),
                static_cast<unsigned long long>(b & 0xffff'ffff'ffff));
  return text;
}

bool is_not_now(unsigned status) {
  switch (status) {
    case 408:  // the request did not arrive in time
    case 429:  // full: of commands that were in flight nobody knows
    case 500:
    case 503:
    case 504:
    case 507:
      return true;
    default:
      return false;
  }
}

}  // namespace

Client::Client(ClientSetting& setting, std::string name, std::uint64_t number, bool patient)
    : setting_(setting),
      name_(std::move(name)),
      number_(number),
      patient_(patient),
      random_(setting.world.seed(), Domain::client, 0, stream_of(number, 0)),
      retries_(setting.world.seed(), Domain::client, 0, stream_of(number, 1)),
      link_(setting.world, setting.gateways,
            {setting.world.seed(), Domain::client, 0, stream_of(number, 2)}) {}

Duration Client::between(Duration low, Duration high) {
  return Duration{static_cast<Duration::rep>(random_.between(
      static_cast<std::uint64_t>(low.count()), static_cast<std::uint64_t>(high.count())))};
}

Client::Patience Client::patience(const Operation& operation) {
  Patience result;
  const auto draw = retries_.between(1, 100);  // the same draws whatever the call is
  const auto time = std::chrono::milliseconds{retries_.between(1, 3000)};
  if (operation.read_only()) {
    result.keyed = false;
    return result;
  }
  result.until = operation.invoked + setting_.retry_max;
  if (patient_) return result;
  if (draw <= 3) result.attempts = 1;
  if (draw > 3 && draw <= 5) result.until = std::min(result.until, operation.invoked + time);
  if (draw > 98) {
    result.attempts = 1;
    result.keyed = false;
  }
  return result;
}

std::string Client::key_header(const Operation& operation) {
  const bool timed = retries_.between(0, 1) == 1;
  const auto key = timed ? uuid(now(), retries_) : name_ + '/' + std::to_string(operation.number);
  return "Idempotency-Key: \"" + key + "\"\r\n";
}

Task<Operation> Client::perform(actors::CallBase call) {
  auto& operation = setting_.history.get().begin(*call.service, call.method);
  operation.client = name_;
  operation.key = call.key;
  operation.request = call.payload;
  operation.invoked = now();
  pending_ = &operation;
  const auto patience = this->patience(operation);
  const auto http = http_call(call);
  const auto header = patience.keyed ? key_header(operation) : std::string{};
  operation.header = header;
  Duration pause = 5ms;
  for (;;) {
    ++operation.attempts;
    auto response = co_await link_.exchange(http, header, 15s);
    if (response) {
      if (conclude(operation, call, std::move(*response))) break;
    } else {
      operation.reason = response.error().reason;
    }
    operation.heard.push_back({now(), operation.reason});
    if (operation.attempts >= patience.attempts || now() + pause >= patience.until) {
      operation.outcome = Operation::Outcome::unknown;
      break;
    }
    // Another node may know better.
    if (setting_.gateways.size() > 1 && retries_.between(0, 1) == 0) link_.leave();
    co_await wait(pause + std::chrono::microseconds{retries_.between(0, 5000)});
    pause = std::min<Duration>(pause * 2, 500ms);
  }
  operation.returned = now();
  pending_ = nullptr;
  const bool succeeded = operation.outcome == Operation::Outcome::success;
  if (succeeded && patience.keyed) {
    newest_ = Sent{&operation, call, header, operation.invoked + setting_.retry_max};
    const bool repeats = retries_.between(1, 30) == 1;
    const auto later = std::chrono::milliseconds{retries_.between(0, 2000)};
    if (repeats) {
      co_await wait(later);
      co_await repeat();
    }
  }
  operation.settled = now() + setting_.lingering;
  if (setting_.observe) setting_.observe(operation);
  co_return operation;
}

Task<void> Client::repeat() {
  if (newest_) co_await use_key_again(newest_->call);
}

Task<void> Client::repeat(const Operation& first) {
  newest_ = Sent{&first,
                 {first.service, first.method, first.key, first.request},
                 first.header,
                 first.invoked + setting_.retry_max};
  co_await use_key_again(newest_->call, true);
}

Task<void> Client::misuse(actors::CallBase other) {
  if (!newest_ || setting_.answers_may_be_lost) co_return;
  const auto& call = newest_->call;
  const bool another = other.service == call.service && other.method == call.method &&
                       other.key == call.key && other.payload != call.payload;
  if (another) co_await use_key_again(std::move(other));
}

Task<void> Client::use_key_again(actors::CallBase call, bool also_at_the_end) {
  const auto http = http_call(call);
  const auto first = *newest_;
  pending_ = first.operation;
  while ((running() || also_at_the_end) && now() < first.until) {
    const auto response = co_await link_.exchange(http, first.header, 15s);
    if (now() >= first.until) break;
    const bool failed = response && http_error(response->body).reason == "HANDLER_FAILED";
    if (response && (failed || !is_not_now(response->status))) {
      check_reused_key(first, call, *response);
      break;
    }
    if (setting_.gateways.size() > 1) link_.leave();
    co_await wait(20ms);
  }
  pending_ = nullptr;
}

// A repetition gets the same reply; anything else is refused.
void Client::check_reused_key(const Sent& first, const actors::CallBase& call,
                              const HttpResponseText& response) {
  if (setting_.is_lost && setting_.is_lost(*first.operation)) return;
  std::string wrong;
  if (call.payload == first.call.payload) {
    const auto reply = http_reply(call, response.body);
    if (response.status == 200 && reply && *reply == first.operation->reply) return;
    wrong = "a command that was repeated under its key got another answer";
  } else {
    if (response.status != 200 && http_error(response.body).reason == "IDEMPOTENCY_KEY_REUSED")
      return;
    wrong = "another request under a used key was not refused for it";
  }
  Operation sent = *first.operation;
  sent.request = call.payload;
  complain("reply once", wrong + "\n    first: " + first.operation->text() + ' ' +
                             describe_request(*first.operation) + " -> " +
                             describe_reply(*first.operation) + "\n    then, at " +
                             seconds_text(now()) + ": " + describe_request(sent) + " -> " +
                             std::to_string(response.status) + ' ' + response.body);
}

bool Client::conclude(Operation& operation, const actors::CallBase& call,
                      HttpResponseText response) {
  if (response.status == 200) {
    auto reply = http_reply(call, response.body);
    if (!reply) {
      operation.outcome = Operation::Outcome::refused;  // which no model agrees with
      operation.reason = reply.error().describe();
      return true;
    }
    operation.outcome = Operation::Outcome::success;
    operation.reply = std::move(*reply);
    operation.reason.clear();
    if (const auto* position = response.header("Troupe-Position"))
      operation.position = Position::parse(*position, operation.service->name);
    const auto* replayed = response.header("Idempotency-Replayed");
    operation.replayed = replayed != nullptr && *replayed == "true";
    return true;
  }
  const auto error = http_error(response.body);
  operation.reason = error.reason;
  // Errors are not stored: while an earlier attempt may still be on its way, it can yet run where
  // this one was refused.
  const bool only_attempt = operation.attempts == 1 || operation.read_only();
  if (error.reason == "HANDLER_FAILED" && setting_.handlers_may_throw) {
    operation.outcome = only_attempt ? Operation::Outcome::harmless : Operation::Outcome::unknown;
    return true;
  }
  if (is_not_now(response.status)) return false;
  // The id was too old to tell: an attempt may have run.
  const bool expired = error.reason == "MESSAGE_ID_EXPIRED";
  operation.outcome =
      expired || !only_attempt ? Operation::Outcome::unknown : Operation::Outcome::refused;
  return true;
}

}  // namespace troupe::simulations
