// Worker threads of the operating system. A dedicated queue has one thread; pooled queues share a
// few threads of lower priority, so that applying rows yields to answering commands.
//
// Waking a sleeping thread is what costs: a thread is woken only if one sleeps, and a worker that
// is awake takes all jobs that wait in one go.
//
// A job that throws is a bug with an unknown half of its work done: `on_bug` is told, which ends
// the process. A queue must be destroyed before its Workers, and never by one of its own jobs,
// which would wait for itself; both end with an abort that names the queue.
#pragma once

#include <functional>
#include <memory>

#include "runtime/error.hpp"
#include "runtime/platform/workers.hpp"

namespace troupe::runtime {

struct OsWorkersOptions {
  std::size_t pool_threads = 2;              // at least 1
  int pool_nice = 15;                        // added to the process's nice value
  std::function<void(const Error&)> on_bug;  // does not return
};

std::unique_ptr<Workers> make_os_workers(OsWorkersOptions options);

}  // namespace troupe::runtime
