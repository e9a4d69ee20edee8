// Coroutines of a rehearsal: what a client does, one step after another, in virtual time.
//
//   Script shop(Client& client) {
//     while (client.running()) {
//       const auto account = co_await client.call(AccountsRef{"ann"}.Deposit(request));
//       co_await client.wait(20ms);
//     }
//   }
//
// Single-threaded. A task does nothing until it is awaited by another one or started as a root, and
// its frame is destroyed with the Task object, whether it has ended or not: what waits for the
// world is only ever reached through a Waiter, which forgets its coroutine when that is destroyed.
// So a run may end while scripts wait.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace troupe::simulations {

template <class T>
class Task;

namespace script_detail {

struct PromiseBase {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr thrown;

  std::suspend_always initial_suspend() noexcept { return {}; }
  struct Final {
    bool await_ready() noexcept { return false; }
    template <class Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> ended) noexcept {
      return ended.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  Final final_suspend() noexcept { return {}; }
  void unhandled_exception() { thrown = std::current_exception(); }
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object();
  void return_value(T result) { value.emplace(std::move(result)); }
  T take() {
    if (thrown) std::rethrow_exception(thrown);
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  void return_void() {}
  void take() {
    if (thrown) std::rethrow_exception(thrown);
  }
};

}  // namespace script_detail

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = script_detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  // --- as a root: whoever owns it starts it once ------------------------------------------------
  void start() { handle_.resume(); }
  bool done() const { return handle_.done(); }
  // What it returned; throws what it threw. Once, and only when it is done.
  T result() { return handle_.promise().take(); }

  // --- awaited by another task: runs to its end, then that one goes on ---------------------------
  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().continuation = awaiting;
    return handle_;
  }
  T await_resume() { return handle_.promise().take(); }

 private:
  Handle handle_;
};

using Script = Task<void>;

namespace script_detail {

template <class T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>{std::coroutine_handle<Promise>::from_promise(*this)};
}
inline Task<void> Promise<void>::get_return_object() {
  return Task<void>{std::coroutine_handle<Promise>::from_promise(*this)};
}

}  // namespace script_detail

// What a coroutine waits for: a value that the world delivers once, or never. The coroutine owns
// the Waiter; the world holds a Delivery, which outlives it harmlessly.
template <class T>
class Waiter {
  struct Slot {
    std::optional<T> value;
    std::coroutine_handle<> waiting;  // null: nobody waits (any more)
  };

 public:
  class Delivery {
   public:
    // The first call counts. The coroutine goes on inside the call.
    void operator()(T value) const {
      if (slot_->value) return;
      slot_->value.emplace(std::move(value));
      if (auto waiting = std::exchange(slot_->waiting, nullptr)) waiting.resume();
    }

    // It was delivered, or nobody waits any more.
    bool done() const { return slot_->value || !slot_->waiting; }

   private:
    friend class Waiter;
    explicit Delivery(std::shared_ptr<Slot> slot) : slot_(std::move(slot)) {}
    std::shared_ptr<Slot> slot_;
  };

  Waiter() : slot_(std::make_shared<Slot>()) {}
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() { slot_->waiting = nullptr; }

  Delivery delivery() const { return Delivery{slot_}; }

  bool await_ready() const noexcept { return slot_->value.has_value(); }
  void await_suspend(std::coroutine_handle<> waiting) noexcept { slot_->waiting = waiting; }
  T await_resume() { return std::move(*slot_->value); }

 private:
  std::shared_ptr<Slot> slot_;
};

}  // namespace troupe::simulations
