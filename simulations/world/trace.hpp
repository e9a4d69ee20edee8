// What happened, as one number: a rolling hash over every event of the world in order. Two runs of
// one seed must end with the same one; where they part can be seen in the text, one line an event
// with the hash so far, by `diff`.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

#include "runtime/time.hpp"

namespace troupe::simulations {

class Trace {
 public:
  // `text` may be null; otherwise it outlives the trace and gets a line per event.
  explicit Trace(std::ostream* text) : text_(text) {}

  // `kind` says what happened ("job", "disk.sync"), `name` to whom (actor, file, connection), and
  // `bytes` with which data. Neither may depend on addresses, real time or the file system.
  void record(Duration time, std::uint32_t node, std::string_view node_name, std::string_view kind,
              std::string_view name, std::string_view bytes);

  std::uint64_t hash() const { return hash_; }
  std::uint64_t events() const { return events_; }

 private:
  std::ostream* text_;
  std::string buffer_;
  std::uint64_t hash_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace troupe::simulations
