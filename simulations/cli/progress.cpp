#include "simulations/cli/progress.hpp"

#include <chrono>
#include <cmath>

#include "cluster/cli/command/human.hpp"
#include "simulations/cli/words.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using cluster::human_count;

// What is over before is not worth a line.
constexpr Duration first_on_terminal = 1s;
constexpr Duration between_on_terminal = 200ms;
constexpr Duration between_elsewhere = 10s;

}  // namespace

void ProgressLine::show(const CampaignProgress& progress) {
  show(progress_text(progress), progress.elapsed);
}

void ProgressLine::show(const ShrinkProgress& progress) {
  show("shrinking: " + counted(progress.runs, "run") + ", " + counted(progress.faults, "fault") +
           " left",
       progress.elapsed);
}

void ProgressLine::show(const std::string& text, Duration elapsed) {
  if (elapsed < shown_at_) shown_at_ = Duration{0};  // another command's time
  if (io_.rewritable) {
    if (elapsed < first_on_terminal) return;
    if (on_screen_ && elapsed - shown_at_ < between_on_terminal) return;
    *io_.err << "\r\x1b[K" << text << std::flush;
    on_screen_ = true;
  } else {
    if (elapsed - shown_at_ < between_elsewhere) return;
    *io_.err << text << std::endl;
  }
  shown_at_ = elapsed;
}

void ProgressLine::clear() {
  if (on_screen_) *io_.err << "\r\x1b[K" << std::flush;
  on_screen_ = false;
}

std::string progress_text(const CampaignProgress& progress) {
  std::string text = human_count(progress.done);
  if (progress.all) text += " of " + human_count(*progress.all);
  text += progress.all.value_or(progress.done) == 1 ? " run, " : " runs, ";
  text += counted(progress.failures, "failure");
  const double real = std::chrono::duration<double>(progress.elapsed).count();
  const double simulated = std::chrono::duration<double>(progress.simulated).count();
  if (real > 0)
    text += ", " + human_count(static_cast<std::uint64_t>(std::llround(simulated / real))) +
            " simulated seconds per second";
  if (progress.left)
    text +=
        ", " +
        cluster::human_seconds(std::chrono::ceil<std::chrono::seconds>(*progress.left).count()) +
        " left";
  return text;
}

}  // namespace troupe::simulations
