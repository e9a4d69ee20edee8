// Keeps of a run what its page shows. Sees the world's events while it runs; logs and what clients
// did are added when it is over:
//
//   PageRecorder recorder;
//   World world{{.seed = seed, .sink = &recorder}};
//   ...
//   recorder.add(world.log());
//   recorder.add({.time = invoked, .kind = "operation.success", ...});
//   TracePage page = recorder.take();
//   page.simulation = ...;
//
// Of a long run it keeps the last page_events_max events and counts the others.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "simulations/trace_page/trace_page.hpp"
#include "simulations/world/logger.hpp"
#include "simulations/world/trace.hpp"

namespace troupe::simulations {

class PageRecorder final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override;

  void add(PageEvent event) { added_.push_back(std::move(event)); }
  // Lines of warn and error as such, lines of info as changes of state.
  void add(const LogBook& log);

  // All in the order of their time. Messages of an HTTP request and of its answer are given the
  // entity that the request's path names, if an event that was added is about it. Nothing is left
  // here.
  TracePage take();

 private:
  // What one end of a connection is saying.
  struct Way {
    std::string head;                      // of an HTTP request, until its first line is whole
    std::string path;                      // of the newest request
    std::vector<std::uint64_t> unnamed{};  // its messages so far, by number
  };

  void keep(PageEvent event);
  PageEvent* find(std::uint64_t number);
  void sent(const TraceEvent& event);
  void arrived(const TraceEvent& event);
  void fault(const TraceEvent& event);
  std::string path_of(std::string_view way, std::string_view bytes);

  std::deque<PageEvent> kept_;
  std::uint64_t first_ = 0;                        // number of kept_.front()
  std::map<std::string, std::uint64_t> underway_;  // messages, by name
  std::map<std::string, std::uint64_t> unhealed_;  // faults, by text
  std::map<std::string, Way> ways_;                // "sender>receiver"
  std::vector<PageEvent> added_;
};

}  // namespace troupe::simulations
