// How many files and connections the process may have open, and what keeps clients from taking all:
// without a descriptor a node can neither store anything nor reach its peers.
#pragma once

#include <cstdint>

namespace troupe::runtime {

// As getrlimit(2) says now: the soft limit, which a process of ours has made the hard one.
std::uint64_t descriptors_max();

// Whether so few are left that none is to go to a client. `newest` was just made: the system gives
// the lowest number that is free.
bool descriptors_scarce(int newest);
bool descriptors_scarce();

}  // namespace troupe::runtime
