// HTTP clients that do not wait for each other: an open loop sends so many requests a second,
// whether or not earlier ones were answered. One thread, one request at a time on a connection.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace troupe::bench {

struct HttpLoad {
  unsigned short port = 0;
  int connections = 64;
  double rate = 0;  // requests a second; 0: a closed loop, every connection sends when it can
  double seconds = 1;
  std::function<std::string(std::uint64_t number)> request;  // its bytes
  // Called about once a second.
  std::function<void(double elapsed)> watch = [](double) {};
};

struct HttpLoadResult {
  double seconds = 0;
  std::uint64_t sent = 0;
  // Requests that were due while every connection waited for an answer: a client's own pool would
  // have refused them.
  std::uint64_t unsent = 0;
  std::uint64_t refused = 0;  // answered 429
  std::uint64_t failed = 0;   // answered otherwise, or not at all
  // From when a request was due to its answer, sorted.
  std::vector<double> good_us;  // of those that were answered 2xx
  std::vector<double> refused_us;

  double good_rate() const { return static_cast<double>(good_us.size()) / seconds; }
  double offered_rate() const { return static_cast<double>(sent + unsent) / seconds; }
  double refused_share() const;  // of those that were answered
};

// Throws std::runtime_error if it cannot connect.
HttpLoadResult run_http_load(const HttpLoad& load);

double percentile(const std::vector<double>& sorted, double p);

}  // namespace troupe::bench
