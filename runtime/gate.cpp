#include "runtime/gate.hpp"

namespace troupe::runtime {

bool Gate::enter() {
  if ((inside_.fetch_add(1, std::memory_order_acquire) & closed) == 0) return true;
  leave();
  return false;
}

void Gate::leave() {
  if (inside_.fetch_sub(1, std::memory_order_release) == closed + 1) inside_.notify_all();
}

void Gate::close() {
  auto now = inside_.fetch_or(closed, std::memory_order_acq_rel) | closed;
  while (now != closed) {
    inside_.wait(now, std::memory_order_acquire);
    now = inside_.load(std::memory_order_acquire);
  }
}

}  // namespace troupe::runtime
