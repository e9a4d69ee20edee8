#include "runtime/error.hpp"

#include <array>

namespace troupe {

std::string_view to_string(Code code) noexcept {
  static constexpr std::array<std::string_view, 17> names{
      "OK",
      "CANCELLED",
      "UNKNOWN",
      "INVALID_ARGUMENT",
      "DEADLINE_EXCEEDED",
      "NOT_FOUND",
      "ALREADY_EXISTS",
      "PERMISSION_DENIED",
      "RESOURCE_EXHAUSTED",
      "FAILED_PRECONDITION",
      "ABORTED",
      "OUT_OF_RANGE",
      "UNIMPLEMENTED",
      "INTERNAL",
      "UNAVAILABLE",
      "DATA_LOSS",
      "UNAUTHENTICATED",
  };
  const auto index = static_cast<std::size_t>(code);
  return index < names.size() ? names[index] : names[2];
}

#define TROUPE_ERROR_FACTORY(name)                                                    \
  Error name(std::string message) {                                                   \
    return Error{Code::name, std::string{to_string(Code::name)}, std::move(message)}; \
  }                                                                                   \
  Error name(std::string reason, std::string message) {                               \
    return Error{Code::name, std::move(reason), std::move(message)};                  \
  }
TROUPE_ERROR_FACTORY(cancelled)
TROUPE_ERROR_FACTORY(invalid_argument)
TROUPE_ERROR_FACTORY(deadline_exceeded)
TROUPE_ERROR_FACTORY(not_found)
TROUPE_ERROR_FACTORY(already_exists)
TROUPE_ERROR_FACTORY(permission_denied)
TROUPE_ERROR_FACTORY(resource_exhausted)
TROUPE_ERROR_FACTORY(failed_precondition)
TROUPE_ERROR_FACTORY(aborted)
TROUPE_ERROR_FACTORY(out_of_range)
TROUPE_ERROR_FACTORY(unimplemented)
TROUPE_ERROR_FACTORY(internal)
TROUPE_ERROR_FACTORY(unavailable)
TROUPE_ERROR_FACTORY(data_loss)
TROUPE_ERROR_FACTORY(unauthenticated)
#undef TROUPE_ERROR_FACTORY

}  // namespace troupe
