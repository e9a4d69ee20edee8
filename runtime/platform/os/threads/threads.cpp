#include "runtime/platform/os/threads/threads.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>

namespace troupe::runtime {
namespace {

// How many calls, of about 5 microseconds each, pass between two offers.
constexpr unsigned calls_per_offer = 32;

thread_local bool yields = false;
thread_local unsigned calls = 0;

}  // namespace

void begin_thread(const std::string& name) {
  ::pthread_setname_np(::pthread_self(), name.substr(0, 15).c_str());
  sigset_t signals;
  ::sigfillset(&signals);
  // A fault of the thread itself must still end the process and leave a core.
  for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS})
    ::sigdelset(&signals, fault);
  ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

void lower_priority(int steps) {
  yields = true;
  const auto thread = static_cast<id_t>(::gettid());
  errno = 0;
  const int nice = ::getpriority(PRIO_PROCESS, thread);
  if (nice == -1 && errno != 0) return;
  ::setpriority(PRIO_PROCESS, thread, nice + steps);
}

void let_others_run() {
  if (!yields || ++calls < calls_per_offer) return;
  calls = 0;
  ::sched_yield();
}

bool has_lower_priority() {
  return yields;
}

}  // namespace troupe::runtime
