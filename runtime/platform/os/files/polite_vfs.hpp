// SQLite's VFS for Unix, with one difference: a thread of lower priority lets others run between
// its writes.
//
// A kernel takes the processor away from a thread at its ticks, every 1 to 4 ms, so that a message
// that arrives while rows are being written could wait that long, however low the writer's priority
// is. A writer that offers the processor every few hundred microseconds makes that wait short, and
// costs next to nothing where nobody wants it (sched_yield(2)).
#pragma once

namespace troupe::runtime {

// Its name, for sqlite3_open_v2(). Registered with the first call; any thread.
const char* polite_vfs();

}  // namespace troupe::runtime
