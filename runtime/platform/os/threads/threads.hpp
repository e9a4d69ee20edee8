// What every thread of the platform does first.
#pragma once

#include <string>

namespace troupe::runtime {

// Gives the calling thread a name (the kernel keeps 15 bytes) and blocks all signals that a process
// handles as a whole, so that they reach the thread that waits for them.
void begin_thread(const std::string& name);

// Lowers the calling thread's priority by `steps` of nice(2), beside its siblings too: Linux keeps
// the value per thread. Best effort.
void lower_priority(int steps);

// To be called often in long work. On a thread of lower priority it offers the processor to others
// once in a while; on any other thread it does nothing.
void let_others_run();

// Whether lower_priority() was called on this thread.
bool has_lower_priority();

}  // namespace troupe::runtime
