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

}  // namespace troupe::runtime
