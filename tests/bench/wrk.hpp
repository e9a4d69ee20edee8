// wrk, and what it asks the gateway: 64 keep-alive connections, one thread.
#pragma once

#include <string>

namespace troupe::bench {

inline constexpr int wrk_connections = 64;
inline constexpr int bench_accounts = 10'000;

struct Load {
  double rate = 0;  // answers a second
  double p99_us = 0;
};

// `script`: Lua. Every answer has to be a good one, unless refusals are fine. Throws
// std::runtime_error.
Load wrk(unsigned short port, const std::string& path, const std::string& script, double seconds,
         bool refusals_are_fine = false);

// The files of what it does, in a folder that is there.
class WrkScripts {
 public:
  explicit WrkScripts(std::string folder);
  std::string get() const { return folder_ + "/get.lua"; }
  std::string open() const { return folder_ + "/open.lua"; }
  std::string deposit() const { return folder_ + "/deposit.lua"; }

 private:
  void write(const std::string& name, const std::string& text) const;
  const std::string folder_;
};

}  // namespace troupe::bench
