// A yardstick: three members of etcd 3.4 on this machine, plain text, its own fsync before every
// answer, and a client of its gRPC API.
#pragma once

#include <memory>
#include <vector>

#include "tests/bench/figure.hpp"
#include "tests/bench/fixture.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

class Etcd {
 public:
  explicit Etcd(const Options& options);
  ~Etcd();

  // Callers of the member that leads, which is where it is fastest, over one connection: puts of
  // 100 bytes over 10,000 keys, and linearizable gets of them.
  LoopResult puts(int callers, double seconds);
  LoopResult gets(int callers, double seconds);

 private:
  struct Client;
  std::string folder_;
  std::vector<std::unique_ptr<Server>> members_;
  std::unique_ptr<Client> client_;
};

}  // namespace troupe::bench
