// Lets callers in while it is open, and closes only when the last of them is out: so that what they
// use may be destroyed afterwards. Any thread may call anything; close() from inside a visit waits
// for ever.
#pragma once

#include <atomic>
#include <cstdint>

namespace troupe::runtime {

class Gate {
 public:
  // Inside while it lives, if the gate was open.
  class Visit {
   public:
    explicit Visit(Gate& gate) : gate_{gate.enter() ? &gate : nullptr} {}
    ~Visit() {
      if (gate_ != nullptr) gate_->leave();
    }
    Visit(const Visit&) = delete;
    Visit& operator=(const Visit&) = delete;
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    Gate* const gate_;
  };

  void close();  // waits for those inside

 private:
  bool enter();
  void leave();

  static constexpr std::uint32_t closed = 1U << 31;
  std::atomic<std::uint32_t> inside_{0};
};

}  // namespace troupe::runtime
