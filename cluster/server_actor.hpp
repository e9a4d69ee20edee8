// A listening server in the supervision tree: an actor that owns it, drains it when asked to end,
// and makes a new one when it is restarted.
#pragma once

#include <caf/actor.hpp>
#include <caf/fwd.hpp>
#include <functional>
#include <memory>
#include <string>

#include "runtime/time.hpp"

namespace troupe::cluster {

// What the actor needs of a server.
class Server {
 public:
  virtual ~Server() = default;
  // Stops listening, lets requests in flight finish; `done` comes at the latest after `deadline`.
  virtual void stop(Duration deadline, std::function<void()> done) = 0;
};

// For ChildSpec::start.
caf::actor spawn_server(caf::actor_system& system, std::string name, std::shared_ptr<Server> server,
                        Duration drain);

}  // namespace troupe::cluster
