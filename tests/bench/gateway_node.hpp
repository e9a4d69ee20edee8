// `troupe up` of one node with 10,000 accounts, and wrk, which loads its gateway.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/figure.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

constexpr int gateway_accounts = 10'000;

struct WrkLoad {
  double rate = 0;  // answers a second
  double p99_us = 0;
};

// `script`: Lua. Every answer has to be a good one.
WrkLoad wrk(int connections, unsigned short port, const std::string& path,
            const std::string& script, double seconds, bool refusals_are_fine = false);

// Lua for wrk.
class WrkScripts {
 public:
  explicit WrkScripts(const std::string& folder);
  std::string get() const { return folder_ + "/get.lua"; }  // GETs of the path
  std::string open() const { return folder_ + "/open.lua"; }
  std::string deposit() const { return folder_ + "/deposit.lua"; }

 private:
  static std::string posts(const std::string& verb, const std::string& body, int step);
  void write(const std::string& name, const std::string& text) const;
  const std::string folder_;
};

class GatewayNode {
 public:
  // `settings`: more keys of the manifest, after `[service_defaults]`.
  explicit GatewayNode(const Options& options, const std::string& settings = "shards = 4\n");
  ~GatewayNode();
  unsigned short port() const { return port_; }

  std::unique_ptr<WrkScripts> scripts;
  std::unique_ptr<Server> server;

 private:
  bool has(int account) const;
  const std::string folder_;
  const unsigned short port_;
};

}  // namespace troupe::bench
