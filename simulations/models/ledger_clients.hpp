// Clients that move money in and out of a few accounts, read balances and statements, and repeat
// what was not answered: for every simulation in which a ledger must stay right, whatever the nodes
// are.
#pragma once

#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {

// How many there are of each.
struct LedgerClients {
  unsigned customers = 8;   // all kinds of commands and reads, on six accounts
  unsigned doubters = 4;    // send again what was answered long ago
  unsigned collectors = 3;  // use many accounts, each so rarely that it leaves memory
  unsigned spectators = 0;  // read one of two accounts all the time
};

// Declares the clients, the model of an account, and that money is conserved: no balance is ever
// below zero, and at the end each is the sum of its statement.
void declare_ledger(Rehearsal& sim, const LedgerClients& clients = {});

}  // namespace troupe::simulations
