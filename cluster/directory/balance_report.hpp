// A plan as the message that goes to the command line, which prints it
// (cli/command/balance_table.hpp) or passes it on as JSON.
#pragma once

#include "cluster/balance.pb.h"
#include "cluster/directory/balancer.hpp"

namespace troupe::cluster {

BalanceReport report_of(const BalancePlan& plan);

}  // namespace troupe::cluster
