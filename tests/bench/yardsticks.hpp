// What our figures are measured against, on the same disk, in the same run.
#pragma once

#include <memory>
#include <string>

#include "tests/bench/figure.hpp"
#include "tests/bench/process.hpp"

namespace troupe::bench {

// PostgreSQL 15, synchronous_commit=on: one-row INSERTs of pgbench over TCP.
class Postgres {
 public:
  explicit Postgres(const Options& options);
  ~Postgres();
  double inserts_per_second(int clients, double seconds);

 private:
  std::string folder_;
  unsigned short port_;
};

// Redis 7, appendfsync always: SET of 100 bytes by redis-benchmark.
class Redis {
 public:
  explicit Redis(const Options& options);
  double sets_per_second(int clients, double seconds);

 private:
  unsigned short port_;
  std::unique_ptr<Server> server_;
};

// Bare SQLite, WAL, synchronous=FULL: rows of 116 bytes, so many to a commit.
double sqlite_rows_per_second(const Options& options, int rows_per_commit);

// Append of 4 KiB and fdatasync; the median, in microseconds.
double fdatasync_median_us(const Options& options);

// Requests a second between two bare CAF actors, so many in flight, payloads of these sizes.
double caf_requests_per_second(const Options& options, int in_flight, std::size_t request_bytes,
                               std::size_t response_bytes);

}  // namespace troupe::bench
