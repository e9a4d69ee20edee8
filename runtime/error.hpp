// Troupe's one error type: a canonical code, a reason for programs and a message for people.
//
// Codes are gRPC's (https://grpc.io/docs/guides/status-codes/), numbers included, so that every
// transport maps them the same way. `reason` is UPPER_SNAKE, stable, and has a section in
// docs/errors/. `message` says what was wrong, where, and what to do.
//
// Errors are values for what the world may do; exceptions are for bugs and end at a supervisor.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace troupe {

enum class Code : std::uint8_t {
  ok = 0,                   // never inside an Error
  cancelled = 1,            // the caller gave up
  unknown = 2,              // nothing better is known
  invalid_argument = 3,     // the request is wrong whatever the state is
  deadline_exceeded = 4,    // the time was over before the work ran; outcome unknown to the caller
  not_found = 5,            // no such thing
  already_exists = 6,       // there is one already
  permission_denied = 7,    // known caller, not allowed
  resource_exhausted = 8,   // a quota, a queue or a disk is full; retry later
  failed_precondition = 9,  // the state does not allow it; do not retry unchanged
  aborted = 10,             // a conflict; retry from a higher level
  out_of_range = 11,        // past the end of something
  unimplemented = 12,       // no such operation here
  internal = 13,            // an invariant broke: a bug
  unavailable = 14,         // not now; retry under the same message id
  data_loss = 15,           // stored data is missing or rotten
  unauthenticated = 16,     // no valid credentials
};

// "INVALID_ARGUMENT" for Code::invalid_argument, and so on.
std::string_view to_string(Code code) noexcept;

struct Error {
  Code code = Code::unknown;
  std::string reason;   // UPPER_SNAKE, for programs
  std::string message;  // what was wrong, where, and what to do
  // When a retry makes sense at the earliest; becomes Retry-After at the gateway.
  std::optional<std::chrono::nanoseconds> retry_after = std::nullopt;

  // "REASON: message", as logs and the command line print it.
  std::string describe() const { return reason + ": " + message; }
  friend bool operator==(const Error&, const Error&) = default;
};

// Factories, one per code. With one argument the reason is the code's own name.
#define TROUPE_ERROR_FACTORY(name) \
  Error name(std::string message); \
  Error name(std::string reason, std::string message)
TROUPE_ERROR_FACTORY(cancelled);
TROUPE_ERROR_FACTORY(invalid_argument);
TROUPE_ERROR_FACTORY(deadline_exceeded);
TROUPE_ERROR_FACTORY(not_found);
TROUPE_ERROR_FACTORY(already_exists);
TROUPE_ERROR_FACTORY(permission_denied);
TROUPE_ERROR_FACTORY(resource_exhausted);
TROUPE_ERROR_FACTORY(failed_precondition);
TROUPE_ERROR_FACTORY(aborted);
TROUPE_ERROR_FACTORY(out_of_range);
TROUPE_ERROR_FACTORY(unimplemented);
TROUPE_ERROR_FACTORY(internal);
TROUPE_ERROR_FACTORY(unavailable);
TROUPE_ERROR_FACTORY(data_loss);
TROUPE_ERROR_FACTORY(unauthenticated);
#undef TROUPE_ERROR_FACTORY

}  // namespace troupe
