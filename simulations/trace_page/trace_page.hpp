// One run of a simulation as a page for a browser: a lane per node, time downwards, messages as
// arrows, faults, ends and starts of processes, changes of state, logs, and what clients did.
//
// The page is one file of HTML that needs nothing else and asks for nothing: style and script are
// inside, and its content security policy allows no request. What comes from the run is data for
// the script, which writes it as text only, never as markup.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/time.hpp"
#include "simulations/rehearsal/outcome.hpp"

namespace troupe::simulations {

// Something that the page shows, in the lane of a node.
//
//   kind           node      peer      from `time` to `until`    name
//   message        sender    receiver  sent, arrived             connection and number
//   fault          machine             begins, heals             the fault's text
//   operation.*    outside             invoked, returned         what was called
//     .success, .refused, .unknown: how it ended
//   start, stop, crash, kill, start.fail                         what the world said
//   state          node                                          the log's event
//   log.warn, log.error                                          the log's event
//
// Other kinds are shown as marks with their name.
struct PageEvent {
  Duration time{};   // since the world began
  std::string node;  // its lane; empty: "outside"
  std::string kind;
  std::string name;
  std::string detail;
  std::optional<Duration> until = std::nullopt;  // when it ended; none: not yet, or it is a moment
  std::string peer = "";                         // the lane in which it ends
  std::string entity = "";                       // whom it is about, for the filter
};

struct TracePage {
  std::string simulation;
  std::uint64_t seed = 0;
  std::string replay;              // the command that repeats the run; may be empty
  std::optional<Failure> failure;  // none: every check held
  std::string draw;                // Outcome::draw
  std::string faults;              // the fault plan as text, a line each
  std::vector<PageEvent> events;   // in the order of their time
  std::uint64_t dropped = 0;       // events before those, which are not here
};

// More would make the page slow.
inline constexpr std::size_t page_events_max = 20'000;

// The whole file.
std::string render_trace_page(const TracePage& page);

}  // namespace troupe::simulations
