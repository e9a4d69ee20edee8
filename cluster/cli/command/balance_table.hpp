// What the balancer would do, for people: `troupe rebalance --plan`. With --json the message itself
// is printed (json.hpp).
#pragma once

#include "cluster/balance.pb.h"
#include "cluster/cli/command/io.hpp"

namespace troupe::cluster {

// The table of steps to `out`, with what is held and what is waited for below; how many of which
// kind to `err`.
void print_balance(const CliIo& io, const BalanceReport& report);

}  // namespace troupe::cluster
