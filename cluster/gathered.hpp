// One answer that several contribute to, each on its thread.
#pragma once

#include <functional>
#include <mutex>
#include <utility>

#include "runtime/result.hpp"

namespace troupe::cluster {

// Shared by those who add to the message. The last to let go of it answers: one who ends instead of
// adding lets go as well.
template <class Message>
struct Gathered {
  explicit Gathered(std::function<void(Result<Message>)> whom) : answer(std::move(whom)) {}
  ~Gathered() { answer(std::move(message)); }
  Gathered(const Gathered&) = delete;
  Gathered& operator=(const Gathered&) = delete;

  std::mutex mutex;
  Message message;  // guarded by mutex
  const std::function<void(Result<Message>)> answer;
};

}  // namespace troupe::cluster
