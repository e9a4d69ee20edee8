#include "actors/request.hpp"

#include <cstdlib>

namespace troupe::actors {

Request::~Request() {
  if (!reply_to) return;
  answer(
      unavailable("OUTCOME_UNKNOWN",
                  "the command may or may not have run; send it again with the same message id"));
}

void Request::answer(Result<Reply> reply) {
  if (!reply_to) std::abort();  // two answers to one request: a bug
  // Cleared first: the callback may drop the last reference to this request.
  auto callback = std::move(reply_to);
  reply_to = nullptr;
  if (in_flight) in_flight->fetch_sub(1, std::memory_order_relaxed);
  callback(std::move(reply));
}

}  // namespace troupe::actors
