// One client's keep-alive connection to the gateways of a world, over the simulated network.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "simulations/rehearsal/http_call.hpp"
#include "simulations/rehearsal/script.hpp"
#include "simulations/world/world.hpp"

namespace troupe::simulations {

class HttpLink {
 public:
  // `world` outlives it. `random` picks the gateway at every new connection.
  HttpLink(World& world, std::vector<runtime::Address> gateways, RandomStream random);
  ~HttpLink();

  // Sends the request over the connection, which is made if there is none, and waits for the
  // response. UNAVAILABLE / CONNECTION_LOST, CONNECTION_REFUSED..., DEADLINE_EXCEEDED: no response
  // within `limit`; the request may have been carried out or may yet be. One exchange at a time.
  Task<Result<HttpResponseText>> exchange(const HttpCall& call, std::string headers,
                                          Duration limit);

  // The next exchange is over a new connection, and so to any gateway.
  void leave();

 private:
  struct Connection;

  World& world_;
  std::vector<runtime::Address> gateways_;
  RandomStream random_;
  std::shared_ptr<Connection> connection_;
};

// Waits in virtual time.
Task<void> wait_in(World& world, Duration time);

}  // namespace troupe::simulations
