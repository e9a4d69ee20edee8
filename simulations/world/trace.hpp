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

// One event, as record() has it. Views are valid during the call only.
struct TraceEvent {
  Duration time{};
  std::uint32_t node = 0;  // 0: the outside, or the world itself
  std::string_view node_name;
  std::string_view kind;
  std::string_view name;
  std::string_view bytes;
  std::uint64_t hash = 0;  // of the trace up to here
};

// Sees every event of a world, in order, after it was added to the hash. May not act on the world.
//
// Among the kinds are "start", "crash", "kill", "job" (an actor handles a message), "timeout",
// "work" (a job of a queue), "disk.*", "net.*", and "fault" (its text; "healed: " and the text when
// it ends). A segment that travels is a "net.send" at its sender and, unless it is lost with its
// connection, a "net.data" of the same name at its receiver: "sender>receiver#number".
class TraceSink {
 public:
  virtual ~TraceSink() = default;
  virtual void on_event(const TraceEvent& event) = 0;
};

class Trace {
 public:
  // Both may be null; otherwise they outlive the trace. `text` gets a line per event.
  Trace(std::ostream* text, TraceSink* sink) : text_(text), sink_(sink) {}

  // `kind` says what happened ("job", "disk.sync"), `name` to whom (actor, file, connection), and
  // `bytes` with which data. Neither may depend on addresses, real time or the file system.
  void record(Duration time, std::uint32_t node, std::string_view node_name, std::string_view kind,
              std::string_view name, std::string_view bytes);

  std::uint64_t hash() const { return hash_; }
  std::uint64_t events() const { return events_; }

 private:
  std::ostream* text_;
  TraceSink* sink_;
  std::string buffer_;
  std::uint64_t hash_ = 0;
  std::uint64_t events_ = 0;
};

}  // namespace troupe::simulations
