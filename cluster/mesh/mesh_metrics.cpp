#include "cluster/mesh/mesh_metrics.hpp"

#include <string>

namespace troupe::cluster {
namespace {

constexpr std::array<const char*, 4> lane_names{"control", "consensus", "call", "bulk"};

double more(std::uint64_t now, std::uint64_t before) {
  return static_cast<double>(now - before);
}

}  // namespace

MeshMetrics::Traffic MeshMetrics::traffic(runtime::Metrics& metrics, const std::string& direction) {
  Traffic traffic;
  for (std::size_t lane = 0; lane < lane_names.size(); ++lane) {
    const runtime::Metrics::Labels labels{{"direction", direction}, {"lane", lane_names[lane]}};
    traffic.frames[lane] = &metrics.counter("troupe_mesh_frames_total",
                                            "Frames between this node and its peers.", labels);
    traffic.bytes[lane] = &metrics.counter(
        "troupe_mesh_bytes_total", "Bytes of frames between this node and its peers.", labels);
  }
  traffic.batches =
      &metrics.counter("troupe_mesh_batches_total",
                       "Writes to streams between nodes, and times that bytes came from one.",
                       {{"direction", direction}});
  return traffic;
}

MeshMetrics::MeshMetrics(runtime::Metrics& metrics)
    : out_{traffic(metrics, "out")},
      in_{traffic(metrics, "in")},
      made_{metrics.counter("troupe_mesh_links_made_total", "Links that came up.")},
      dropped_{metrics.counter("troupe_mesh_dropped_total",
                               "Consensus messages that did not fit into their link.")},
      refused_{metrics.counter("troupe_mesh_refused_total",
                               "Calls and messages that did not fit into their link.")},
      late_before_sent_{metrics.counter("troupe_mesh_late_total",
                                        "Calls that were dropped because their time was over.",
                                        {{"where", "before sent"}})},
      late_before_run_{metrics.counter("troupe_mesh_late_total",
                                       "Calls that were dropped because their time was over.",
                                       {{"where", "before run"}})},
      unknown_{metrics.counter("troupe_mesh_unknown_total",
                               "Messages of kinds that this node does not take.")},
      up_{metrics.gauge("troupe_mesh_links", "Links that are up.")},
      calls_open_{metrics.gauge("troupe_mesh_calls_open", "Calls to peers without an answer.")},
      queued_{metrics.gauge("troupe_mesh_queued_bytes", "Bytes that wait for their link.")} {}

void MeshMetrics::add(Traffic& traffic, const MeshLinkStatus::Traffic& now,
                      const MeshLinkStatus::Traffic& before) {
  for (std::size_t lane = 0; lane < lane_names.size(); ++lane) {
    traffic.frames[lane]->add(more(now.frames[lane], before.frames[lane]));
    traffic.bytes[lane]->add(more(now.bytes[lane], before.bytes[lane]));
  }
  traffic.batches->add(more(now.batches, before.batches));
}

void MeshMetrics::add(const MeshLinkStatus& now, MeshLinkStatus& before) {
  add(out_, now.out, before.out);
  add(in_, now.in, before.in);
  made_.add(more(now.times_up, before.times_up));
  dropped_.add(more(now.consensus_dropped, before.consensus_dropped));
  refused_.add(more(now.calls_refused, before.calls_refused));
  late_before_sent_.add(more(now.late_before_sent, before.late_before_sent));
  late_before_run_.add(more(now.late_before_run, before.late_before_run));
  unknown_.add(more(now.unknown_frames, before.unknown_frames));
  before = now;
}

void MeshMetrics::set_links(std::size_t up, std::size_t calls_open, std::uint64_t queued_bytes) {
  up_.set(static_cast<double>(up));
  calls_open_.set(static_cast<double>(calls_open));
  queued_.set(static_cast<double>(queued_bytes));
}

}  // namespace troupe::cluster
