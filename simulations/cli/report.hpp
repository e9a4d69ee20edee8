// What came of runs, as the lines that --json prints.
#pragma once

#include <string>

#include "simulations/campaign/campaign.hpp"
#include "simulations/campaign/shrink.hpp"
#include "simulations/campaign/summary.hpp"
#include "simulations/cli/report.pb.h"
#include "simulations/cli/request.hpp"

namespace troupe::simulations {

// The command that runs the seed of a result again.
std::string replay_command(const SeedResult& result, const Request& request);

// ... that runs it with these faults, which it brings along.
std::string replay_command(const SeedResult& result, const Request& request, const FaultPlan& plan);

Line line_of(const SeedResult& result, const Request& request);
Line line_of(const Shrunk& shrunk, const Request& request);
Line line_of(const Summary& summary, const Request& request, CampaignEnd end, Duration elapsed);

// Bytes that are not UTF-8 become question marks: Protobuf has no other texts.
std::string as_utf8(const std::string& text);

}  // namespace troupe::simulations
