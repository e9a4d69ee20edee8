// "supervision": shards that fail more often than their supervisors allow end the node. Counts what
// was made to fail, and nothing that the node says of it.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>

#include "config/manifest.hpp"
#include "runtime/time.hpp"

namespace troupe::simulations {

class RestartCheck {
 public:
  explicit RestartCheck(const config::Manifest& manifest);

  // `lives`: of all machines together; `failures`: of shards, since the run began. Called many
  // times a second. Says what is wrong.
  std::optional<std::string> look(Duration now, std::uint64_t lives, std::uint64_t failures);

 private:
  struct Seen {
    Duration at;
    std::uint64_t failures;
  };
  std::uint64_t allowed_ = 0;  // in one window
  Duration window_{};
  std::uint64_t lives_ = 0;
  std::deque<Seen> seen_;  // within the window, of these lives
};

}  // namespace troupe::simulations
