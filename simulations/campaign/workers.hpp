// Work in processes of their own, several at a time: a World needs a process with one thread, and
// an invariant that breaks in it aborts the process. Every piece of work gets a fresh process, so
// nothing of one seed (caches, counters, leaks) can reach the next, whatever ran where before.
//
// The only place where processes are made and waited for. Used from one thread, in a process that
// has no other: a forked copy has the thread that called fork() alone.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/time.hpp"

namespace troupe::simulations {

class Workers {
 public:
  // Hands a message to the process that started the worker. Of several, the last counts.
  using Send = std::function<void(std::string_view message)>;
  // Runs in the worker. Ctrl-C and SIGTERM do not reach it: who started it ends it.
  using Work = std::function<void(const Send& send)>;

  struct Ended {
    std::uint64_t ticket = 0;
    std::string message;  // the last whole one; empty: none came
    std::string printed;  // the end of what it wrote to standard output and standard error
    bool hung = false;    // it exceeded its limit and was killed
    std::string died;     // by what, if it did not return: "SIGABRT", "exit status 1"
  };

  explicit Workers(unsigned at_a_time);
  ~Workers();  // kills those that still run
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  unsigned at_a_time() const { return at_a_time_; }
  std::size_t running() const { return running_.size(); }
  bool full() const { return running_.size() >= at_a_time_; }

  // There must be room. `limit` is wall-clock time. Throws std::system_error if the system has no
  // process or pipe left.
  void start(std::uint64_t ticket, const Work& work, Duration limit);

  // Those that have ended by now, in no particular order. Waits for the first one, up to `at_most`.
  std::vector<Ended> wait(Duration at_most);

  void kill(std::uint64_t ticket);  // without an answer; unknown tickets are ignored
  void kill_all();

 private:
  struct Process;
  std::unique_ptr<Process> spawn(const Work& work);

  unsigned at_a_time_;
  std::vector<std::unique_ptr<Process>> running_;
};

// SIGINT and SIGTERM, noted instead of obeyed, for as long as it lives. A second signal ends the
// process as if it had not been there. One at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  // The signal's number; 0: none came.
  int signal() const;
};

}  // namespace troupe::simulations
