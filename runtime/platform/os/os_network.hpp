// TCP over Boost.Asio. Connections are spread over a few loops, each a thread; one is enough for
// most nodes, since callbacks only parse and post.
//
// connect() called from a callback stays on that callback's loop. The destructor aborts what is
// still open, with on_closed(), and waits for the threads; a name that is being looked up can hold
// it for as long as the system's resolver takes. Callbacks that throw lose their own connection
// only.
#pragma once

#include <memory>

#include "runtime/platform/network.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

// `log` outlives the network. At least one thread is started.
std::unique_ptr<Network> make_os_network(std::size_t threads, Logger& log);

}  // namespace troupe::runtime
