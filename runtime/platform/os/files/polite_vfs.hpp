// SQLite's VFS for Unix, with a difference for threads of lower priority: between their writes they
// let others run, and let others write.
//
// A kernel takes the processor away from a thread at its ticks, every 1 to 4 ms, so that a message
// that arrives while rows are being written could wait that long, however low the writer's priority
// is. A writer that offers the processor every few hundred microseconds makes that wait short, and
// costs next to nothing where nobody wants it (sched_yield(2)). The disk has no ticks at all: what
// such a thread writes to a database (in WAL mode: by a checkpoint) is synced a piece at a time
// (sync_pace.hpp), so that the node log, which is written on other threads, does not wait for the
// whole of it. A WAL is written in order, in few large requests, and is left to the kernel.
#pragma once

namespace troupe::runtime {

// Its name, for sqlite3_open_v2(). Registered with the first call; any thread.
const char* polite_vfs();

}  // namespace troupe::runtime
