// How much a cluster and each of its services should have, from what they did: for people and for
// autoscalers. Pure like the balancer: fed with reports, no I/O, no clock, no random numbers.
// Nothing here changes anything; whoever follows an advice adds or drains nodes, or asks for other
// factors.
//
// - Nodes: so many that their processors are busy by no more than `utilisation` as things are, and
// by
//   no more than `utilisation_after_loss` once a node is lost, or a whole zone where there are
//   zones.
// - Up at once, down late: an advice follows the largest need that the last `hold` has seen (as the
//   stabilisation window of Kubernetes' HorizontalPodAutoscaler), so that a peak is answered by the
//   next report and no advice falls before it has been too much for all of that time. It rises by a
//   `margin` more than is needed and falls only by more than that, so that a slow rise or fall is
//   followed in few steps and what hovers between two values changes nothing.
// - Shards: the part of a shard that leads runs on one core, so there have to be enough of them;
// and
//   as many as nodes, so that each can lead one. Doubled until that is so; never fewer than there
//   are, since shards do not merge.
// - Replicas: 2f + 1 for f failures to survive, never fewer than there are.
// - Cost: what a service used of all that was used, its bytes, and its part of the hours that nodes
//   ran, shared out by processor time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "runtime/time.hpp"

namespace troupe::cluster {

struct AdviceOptions {
  double utilisation = 0.6;             // of the processors, as things are
  double utilisation_after_loss = 0.9;  // once a node or zone is lost
  double margin = 0.15;                 // more than needed, when an advice rises
  Duration hold = std::chrono::minutes{30};
  std::uint32_t failures = 1;  // to survive, of replicas of one shard
  std::uint32_t nodes_min = 1;
};

// What all nodes together say of a service.
struct ServiceLoad {
  double cores = 0;  // that were busy for it, on all its nodes; a mean since the report before
  double commands_per_second = 0;
  std::uint64_t bytes = 0;  // of all replicas
  std::uint32_t shards = 0;
  std::uint32_t factor = 0;
};

struct LoadReport {
  WallTime at{};              // does not step back from report to report
  std::uint32_t nodes = 0;    // that are up
  std::uint32_t zones = 0;    // with a node that is up; 0: there are no zones
  double cores_per_node = 1;  // above 0
  std::map<std::string, ServiceLoad> services;
};

struct ServiceAdvice {
  double cores = 0;         // to be kept for it, so that `utilisation` of them are busy
  std::uint32_t nodes = 0;  // to be spread over at least
  std::uint32_t shards = 0;
  std::uint32_t replicas = 0;  // of each shard
};

// Since the first report.
struct ServiceCost {
  double cpu_share = 0;  // of all processor time that was used
  double core_hours = 0;
  double node_hours = 0;
  std::uint64_t bytes = 0;  // now
};

struct Advice {
  std::uint32_t nodes = 0;  // of the cluster
  std::string reason;       // which of the rules asked for that many nodes, for people
  std::map<std::string, ServiceAdvice> services;
  std::map<std::string, ServiceCost> costs;
};

class Advisor {
 public:
  explicit Advisor(AdviceOptions options) : options_(options) {}

  // AdviceOptions::hold, from the next report on.
  void set_hold(Duration hold) { options_.hold = hold; }

  // At regular intervals, seconds to minutes. A service that is missing is gone, with its costs.
  void observe(const LoadReport& report);
  // Before the first report: nothing.
  const Advice& advice() const { return advice_; }

 private:
  // The largest of what the last `hold` saw.
  class Peak {
   public:
    void add(WallTime at, double value, Duration hold);
    double value() const { return values_.empty() ? 0 : values_.front().second; }

   private:
    std::deque<std::pair<WallTime, double>> values_;  // falling
  };
  struct Watched {
    Peak cores;  // busy
    ServiceCost cost;
  };
  struct Need {
    std::uint32_t nodes = 0;
    const char* reason = "";
  };

  Need need(const LoadReport& report, double cores, std::uint32_t replicas) const;
  void advise_nodes(const LoadReport& report);
  void advise(const LoadReport& report, const ServiceLoad& load, double peak,
              ServiceAdvice& advice) const;
  void charge(const LoadReport& report);

  AdviceOptions options_;
  std::map<std::string, Watched> services_;
  Peak cores_;  // busy, of all services
  WallTime last_{};
  bool began_ = false;
  Advice advice_;
};

}  // namespace troupe::cluster
