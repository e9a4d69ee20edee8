#include "cluster/gateway/admission.hpp"

#include <algorithm>
#include <utility>

namespace troupe::cluster {
namespace {

// Long enough for the limit to have followed, short enough for a person to wait.
constexpr Duration wait_before_retry = std::chrono::seconds{1};

bool says_overload(const Result<actors::Reply>& reply) {
  if (reply || reply.error().code != Code::resource_exhausted) return false;
  return reply.error().reason == "SHARD_OVERLOADED" || reply.error().reason == "LINK_FULL";
}

}  // namespace

struct Admission::Door {
  Door(runtime::Platform& platform, const std::string& service, const std::string& kind,
       const config::Admission& settings)
      : clock{platform.clock()},
        limit{settings},
        limit_now{platform.metrics().gauge("troupe_admission_limit",
                                           "Calls from clients that may be in flight.",
                                           labels(service, kind))},
        in_flight{platform.metrics().gauge("troupe_admission_in_flight",
                                           "Calls from clients that are in flight.",
                                           labels(service, kind))},
        refused{platform.metrics().counter("troupe_admission_refused_total",
                                           "Calls from clients that were over the limit.",
                                           labels(service, kind))},
        over_limit{resource_exhausted(
            "ADMISSION_LIMIT", "this node has as many " + kind + " of " + service +
                                   " in flight as it answers in time; it has not run, send it "
                                   "again later or to another node")} {
    over_limit.retry_after = wait_before_retry;
    limit_now.set(static_cast<double>(limit.limit()));
  }

  static runtime::Metrics::Labels labels(const std::string& service, const std::string& kind) {
    return {{"service", service}, {"kind", kind}};
  }

  void end(const ConcurrencyLimit::Begun& begun, ConcurrencyLimit::End how) {
    const bool changed = limit.end(begun, clock.now(), how);
    in_flight.add(-1);
    if (changed) limit_now.set(static_cast<double>(limit.limit()));
  }

  runtime::Clock& clock;
  ConcurrencyLimit limit;
  runtime::Gauge& limit_now;
  runtime::Gauge& in_flight;
  runtime::Counter& refused;
  Error over_limit;
};

Admission::Admission(runtime::Platform& platform,
                     const std::vector<const actors::ServiceType*>& services,
                     const std::function<config::Admission(const std::string&)>& settings) {
  for (const actors::ServiceType* service : services) {
    const config::Admission chosen = settings(service->name);
    doors_.push_back({service, std::make_shared<Door>(platform, service->name, "commands", chosen),
                      std::make_shared<Door>(platform, service->name, "reads", chosen)});
  }
}

Admission::~Admission() = default;

void Admission::configure(const std::string& service, const config::Admission& settings) {
  for (const Doors& doors : doors_) {
    if (doors.service->name != service) continue;
    for (Door* door : {doors.commands.get(), doors.reads.get()}) {
      door->limit.configure(settings);
      door->limit_now.set(static_cast<double>(door->limit.limit()));
    }
  }
}

Result<Admission::Ticket> Admission::enter(const actors::ServiceType& service,
                                           std::uint32_t method) {
  const auto doors = std::ranges::find(doors_, &service, &Doors::service);
  Ticket ticket;
  if (doors == doors_.end()) return ticket;
  const auto& door = service.methods[method].read_only ? doors->reads : doors->commands;
  if (!door->limit.begin(door->clock.now(), ticket.begun_)) {
    door->refused.add();
    return door->over_limit;
  }
  door->in_flight.add(1);
  ticket.door_ = door;
  return ticket;
}

void Admission::Ticket::answered(const Result<actors::Reply>& reply) const {
  using End = ConcurrencyLimit::End;
  if (door_) door_->end(begun_, says_overload(reply) ? End::refused : End::answered);
}

void Admission::Ticket::dropped() const {
  if (door_) door_->end(begun_, ConcurrencyLimit::End::dropped);
}

}  // namespace troupe::cluster
