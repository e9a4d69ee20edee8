#include "cluster/steward.hpp"

#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>

#include "actors/supervision.hpp"

namespace troupe::cluster {
namespace {

constexpr auto period = std::chrono::seconds{1};
using tick = caf::atom_constant<caf::atom("tick")>;

class Steward final : public caf::event_based_actor {
 public:
  Steward(caf::actor_config& config, StewardSpec spec)
      : caf::event_based_actor(config),
        spec_(std::move(spec)),
        commits_(metrics().counter("troupe_log_commits_total",
                                   "Transactions of the node log, one fsync each.")),
        entries_(
            metrics().counter("troupe_log_entries_total", "Entries made durable in the node log.")),
        bytes_(metrics().counter("troupe_log_bytes_total",
                                 "Bytes of entries made durable in the node log.")),
        segments_(metrics().gauge("troupe_log_segments", "Segment files of the node log.")),
        size_(
            metrics().gauge("troupe_log_size_bytes", "Bytes of the node log's segments on disk.")),
        full_(metrics().gauge("troupe_log_disk_full",
                              "1 while appends are refused for a full disk.")) {}

  const char* name() const override { return "node log"; }

 protected:
  caf::behavior make_behavior() override {
    actors::end_on_exception(this);
    look();
    return {[this](tick) { look(); }};
  }

 private:
  runtime::Metrics& metrics() const { return spec_.platform->metrics(); }

  void look() {
    const runtime::NodeLog::Stats stats = spec_.log->stats();
    commits_.add(static_cast<double>(stats.commits) - commits_.value());
    entries_.add(static_cast<double>(stats.entries) - entries_.value());
    bytes_.add(static_cast<double>(stats.bytes) - bytes_.value());
    segments_.set(static_cast<double>(stats.segments));
    size_.set(static_cast<double>(stats.segment_bytes));
    full_.set(stats.disk_full ? 1 : 0);
    if (stats.segments > spec_.segments_max)
      for (const runtime::GroupId group : spec_.log->laggards(spec_.segments_max))
        spec_.checkpoint(group);
    spec_.publish();
    delayed_send(this, period, tick::value);
  }

  const StewardSpec spec_;
  runtime::Counter& commits_;
  runtime::Counter& entries_;
  runtime::Counter& bytes_;
  runtime::Gauge& segments_;
  runtime::Gauge& size_;
  runtime::Gauge& full_;
};

}  // namespace

caf::actor spawn_steward(caf::actor_system& system, StewardSpec spec) {
  return system.spawn<Steward>(std::move(spec));
}

}  // namespace troupe::cluster
