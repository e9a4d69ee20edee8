// How far a long command is, on standard error: on a terminal one line that is written over, else a
// line every ten seconds.
#pragma once

#include <string>

#include "cluster/cli/command/io.hpp"
#include "simulations/campaign/campaign.hpp"
#include "simulations/campaign/shrink.hpp"

namespace troupe::simulations {

class ProgressLine {
 public:
  explicit ProgressLine(const cluster::CliIo& io) : io_(io) {}
  ~ProgressLine() { clear(); }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  // Called often; shows what is worth it.
  void show(const CampaignProgress& progress);
  void show(const ShrinkProgress& progress);

  // Before anything else is printed.
  void clear();

 private:
  void show(const std::string& text, Duration elapsed);

  const cluster::CliIo& io_;
  bool on_screen_ = false;
  Duration shown_at_{0};
};

// "412 of 1,000 runs, 0 failures, 212 simulated seconds per second, 3m 12s left"
std::string progress_text(const CampaignProgress& progress);

}  // namespace troupe::simulations
