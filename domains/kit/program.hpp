// The `troupe` command with every bounded context and simulation that is linked into a binary: what
// its main() calls. domains/kit/main/main.cpp is such a main(); one of your own does what it must
// before or after, on the same thread.
#pragma once

#include <functional>

namespace troupe {

// Reads the command line and does what it says; blocks until that is done. Returns the exit status:
// 0 done, 1 failed, 2 the command line or the manifest is wrong. Hosts the services that
// TROUPE_SERVICE registered, rehearses what SIMULATION declared. Call it once, from main(), while
// the process has no other thread: nodes block signals, and simulations fork.
// `each_second`: called so often while a node runs, on the same thread.
int run_program(int argc, char** argv, std::function<void()> each_second = nullptr);

}  // namespace troupe
