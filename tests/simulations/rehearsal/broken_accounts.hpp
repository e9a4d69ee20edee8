// The accounts of banking with one thing wrong.
#pragma once

#include "actors/service.hpp"

namespace troupe::simulations::testing {

enum class Wrong {
  nothing,
  lost_write,          // one command in 20 is answered and takes no effect
  doubled_write,       // ... takes effect twice
  stale_read,          // reads say what the first one said
  impossible_refusal,  // one command in 20 is refused for no reason
  negative_balance,    // replies have the sign turned
  stall,               // after 40 calls an entity is not available any more
};

actors::ServiceRegistry broken_accounts(Wrong wrong);

}  // namespace troupe::simulations::testing
