// The platform of a real process: one per node, made first and destroyed last.
//
// Making one changes the process: SIGPIPE is ignored, so that a peer or a log reader that goes away
// is an error and not the end, and the limit of open descriptors is raised to what the system
// allows. Threads of the platform block signals; the process handles them on a thread of its own.
#pragma once

#include <memory>
#include <string>

#include "runtime/platform/platform.hpp"

namespace troupe::runtime {

enum class LogFormat : std::uint8_t {
  automatic,  // text on a terminal (coloured unless NO_COLOR is set), JSON otherwise
  text,
  json,
};

// Which of CAF's schedulers runs the actors.
enum class SchedulerPolicy : std::uint8_t {
  sharing,   // quiet when idle, faster with many actors
  stealing,  // faster between few actors, polls when idle
};

struct OsOptions {
  std::string node = {};  // its name in logs; may be empty for a tool
  LogFormat log_format = LogFormat::automatic;
  LogLevel log_level = LogLevel::info;
  SchedulerPolicy scheduler = SchedulerPolicy::sharing;
  std::size_t scheduler_threads = 0;  // 0: one fewer than there are processors, at least 1
  std::size_t worker_threads = 2;     // shared by the pooled queues
  std::size_t network_threads = 1;
};

// What fail_stop() ends the process with.
inline constexpr int fail_stop_status = 70;

std::unique_ptr<Platform> make_os_platform(OsOptions options);

}  // namespace troupe::runtime
