// What nodes have told of their processors, kept by whoever keeps the directory and forgotten with
// that office: what the advisor is fed with, and what `troupe advise` and the metrics say of it.
//
// Inside the keeper's actor.
#pragma once

#include <map>
#include <string>

#include "cluster/directory/advice.hpp"
#include "cluster/directory/table.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

class Loads {
 public:
  // Gauges are made when there is something to say.
  explicit Loads(runtime::Metrics& metrics) : metrics_(metrics) {}

  void clear();

  void take(const std::string& node, const DirectoryCall& call, MonotonicTime now);

  // At regular intervals: makes one report of what came since the one before. `hold`: see
  // AdviceOptions.
  void observe(const DirectoryTable& table, WallTime now, Duration hold = AdviceOptions{}.hold);

  // Nothing while nobody has told anything twice.
  AdviceReport advice() const;

  // Of a node's processors, busy with its process, 0 to 1; 0: not known.
  double cpu_share(const std::string& node) const;
  // 0: not known.
  std::uint32_t processors(const std::string& node) const;

 private:
  struct Service {
    double cores = 0;  // busy, between the two reports before last
    double commands_per_second = 0;
    std::uint64_t bytes = 0;
  };
  // Of one process of a node.
  struct Node {
    std::uint64_t incarnation = 0;
    NodeLoad first;  // since the last observation, or before
    MonotonicTime first_at{};
    NodeLoad last;
    MonotonicTime last_at{};
    double cores = 0;
    double cores_mean = 0;  // of a minute or so
    std::map<std::string, Service> services;
    void measure();
  };
  void publish(const AdviceReport& report);

  runtime::Metrics& metrics_;
  std::map<std::string, Node> nodes_;
  Advisor advisor_{{}};
  LoadReport newest_;
  WallTime since_{};
  AdviceReport told_;  // by the metrics
};

}  // namespace troupe::cluster
