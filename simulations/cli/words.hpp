// What came of runs, for people.
#pragma once

#include <string>

#include "cluster/cli/command/io.hpp"
#include "simulations/cli/report.hpp"

namespace troupe::simulations {

// A failure with everything that is known of it. Not `verbose`: the last faults and log lines only.
void print_failure(const cluster::CliIo& io, const SeedResult& result, const Request& request,
                   bool verbose);

// One line: what failed and how to see it.
void print_short_failure(const cluster::CliIo& io, const SeedResult& result,
                         const Request& request);

// A run that passed, where there was only one.
void print_passed(const cluster::CliIo& io, const SeedResult& result, bool verbose);

// Not `verbose`: many marks are counted and not named.
void print_summary(const cluster::CliIo& io, const Summary& summary, bool verbose);
void print_shrunk(const cluster::CliIo& io, const Shrunk& shrunk, const Request& request);

// "0.052s", "6.5s", "20s", "3m 12s"
std::string human_time(Duration time);

// "1 seed", "1,000 seeds"
std::string counted(std::uint64_t count, const std::string& thing);

}  // namespace troupe::simulations
