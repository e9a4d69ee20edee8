// What a mesh counts, for /metrics: sums over all links.
#pragma once

#include <array>

#include "cluster/mesh/mesh_options.hpp"
#include "runtime/telemetry/metrics.hpp"

namespace troupe::cluster {

class MeshMetrics {
 public:
  explicit MeshMetrics(runtime::Metrics& metrics);

  // Adds what a link has counted since `before`, which becomes `now`.
  void add(const MeshLinkStatus& now, MeshLinkStatus& before);
  void set_links(std::size_t up, std::size_t calls_open, std::uint64_t queued_bytes);

 private:
  struct Traffic {
    std::array<runtime::Counter*, 4> frames{};
    std::array<runtime::Counter*, 4> bytes{};
    runtime::Counter* batches = nullptr;
  };
  static Traffic traffic(runtime::Metrics& metrics, const std::string& direction);
  static void add(Traffic& traffic, const MeshLinkStatus::Traffic& now,
                  const MeshLinkStatus::Traffic& before);

  Traffic out_;
  Traffic in_;
  runtime::Counter& made_;
  runtime::Counter& dropped_;
  runtime::Counter& refused_;
  runtime::Counter& late_before_sent_;
  runtime::Counter& late_before_run_;
  runtime::Counter& unknown_;
  runtime::Gauge& up_;
  runtime::Gauge& calls_open_;
  runtime::Gauge& queued_;
};

}  // namespace troupe::cluster
