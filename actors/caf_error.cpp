// Our Error inside a caf::error: the code as CAF's code, a category of our own, the rest as
// context.
#include <caf/atom.hpp>
#include <caf/message.hpp>
#include <caf/scheduled_actor.hpp>
#include <exception>

#include "actors/supervision.hpp"

namespace troupe::actors {
namespace {

constexpr auto category = caf::atom("troupe");
constexpr std::int64_t no_retry = -1;

Error what_was_thrown(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& exception) {
    return internal("UNHANDLED_EXCEPTION", exception.what());
  } catch (...) {
    return internal("UNHANDLED_EXCEPTION", "something that is no std::exception was thrown");
  }
}

}  // namespace

caf::error to_caf_error(const Error& error) {
  const std::int64_t retry_after = error.retry_after ? error.retry_after->count() : no_retry;
  return {static_cast<std::uint8_t>(error.code), category,
          caf::make_message(error.reason, error.message, retry_after)};
}

Error from_caf_error(const caf::error& error) {
  if (!error) return Error{Code::unknown, "ACTOR_ENDED", "the actor ended without an error"};
  const auto& context = error.context();
  if (error.category() != category ||
      !context.match_elements<std::string, std::string, std::int64_t>())
    return internal("ACTOR_FAILED", to_string(error));
  Error ours{static_cast<Code>(error.code()), context.get_as<std::string>(0),
             context.get_as<std::string>(1)};
  const auto retry_after = context.get_as<std::int64_t>(2);
  if (retry_after != no_retry) ours.retry_after = std::chrono::nanoseconds{retry_after};
  return ours;
}

void end_on_exception(caf::scheduled_actor* self) {
  self->set_exception_handler(
      [](std::exception_ptr& thrown) { return to_caf_error(what_was_thrown(thrown)); });
}

}  // namespace troupe::actors
