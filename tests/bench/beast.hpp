// A bare Boost.Beast server: HTTP/1.1 with keep-alive, 200 bytes for every request, nothing behind.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/bench/figure.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

class BeastServer {
 public:
  explicit BeastServer(const Options& options);
  unsigned short port() const { return port_; }

 private:
  unsigned short port_;
  std::unique_ptr<Server> server_;
};

// Main function of such a server. Ends at SIGTERM.
int serve_beast(unsigned short port);

}  // namespace troupe::bench
