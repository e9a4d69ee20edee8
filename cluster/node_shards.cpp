#include "cluster/node_shards.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <utility>

#include "actors/shard/shard_actor.hpp"
#include "cluster/shard_end.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {
namespace {

bool have(const ShardPlaces& places, const std::string& node) {
  return std::ranges::find(places.nodes, node) != places.nodes.end();
}

std::string child_id(std::uint32_t shard) {
  return "shard " + std::to_string(shard);
}

// A shard that was split off, of which nothing is recorded here: a file of it was made when the
// node ended, before that was recorded, and counts as never made.
bool may_have_leftovers(const runtime::NodeLog& log, const HostedService& service,
                        const actors::ShardSpec& spec) {
  return spec.shard >= service.settings.shards && !log.record(spec.group);
}

}  // namespace

actors::RestartLimits restart_limits(const config::RestartPolicy& policy) {
  return {
      policy.intensity, policy.period, {policy.backoff_first, policy.backoff_max, policy.jitter}};
}

Result<void> NodeShards::begin() {
  const auto services = spec_.hosted->now();
  for (const ShardPlaces& places : spec_.places->all()) {
    const HostedService* const service = find_service(*services, places.service);
    if (!service) continue;
    const runtime::GroupId group = group_of(places.service, places.shard);
    if (have(places, spec_.node) || has_past(*spec_.log, group)) {
      if (const auto spec = spec_.hosted->spec_of(*service, places.shard);
          may_have_leftovers(*spec_.log, *service, spec))
        TROUPE_CHECK(all_files(spec).remove(spec_.platform->disk()));
      known_[group].here = spec_.hosted->add(places.service, places.shard, false).has_value();
    } else if (spec_.log->record(group)) {
      TROUPE_CHECK(
          all_files(spec_.hosted->spec_of(*service, places.shard)).remove(spec_.platform->disk()));
    }
  }
  spec_.places->subscribe([self = weak_from_this()](runtime::GroupId group) {
    if (const auto shards = self.lock()) shards->places_changed(group);
  });
  return {};
}

caf::actor NodeShards::start_service(const std::string& service, const SpawnService& spawn) {
  const std::lock_guard guard{mutex_};
  caf::actor supervisor = spawn(*find_service(*spec_.hosted->now(), service));
  supervisors_[service] = supervisor.address();
  return supervisor;
}

void NodeShards::places_changed(runtime::GroupId group) {
  {
    const std::lock_guard guard{mutex_};
    if (closed_) return;
    const auto places = spec_.places->of(group);
    spec_.router->place(places->service, places->shard, places->nodes);
    if (const caf::actor shard = actor_of(places->service, places->shard))
      actors::send_job(shard, [](actors::Shard& one) { one.places_changed(); });
  }
  look(group);
}

void NodeShards::look(runtime::GroupId group) {
  const std::lock_guard guard{mutex_};
  const auto places = spec_.places->of(group);
  if (closed_ || !places) return;
  const Known known = known_[group];
  if (known.founding) return;  // and will be looked at when that is over
  if (known.ending) return;    // and will be looked at when it has ended
  const bool wanted = have(*places, spec_.node) || has_past(*spec_.log, group);
  if (wanted && !known.here) begin_shard(*places);
  if (!wanted && known.here) end_shard(group, *places);
}

void NodeShards::begin_shard(const ShardPlaces& places) {
  const auto shard = spec_.hosted->add(places.service, places.shard, true);
  const auto services = spec_.hosted->now();
  const HostedService* const service = find_service(*services, places.service);
  if (!shard || !service)
    return spec_.platform->log().warn(
        "shards.misplaced", "a shard is to have a replica here, but this node has no such service",
        {{"service", places.service}, {"shard", places.shard}});
  TROUPE_SOMETIMES("a shard began on a node that ran already");
  spec_.platform->log().info("shards.begin", "a shard begins here",
                             {{"shard", shard->spec.name()}});
  known_[shard->spec.group].here = true;
  if (may_have_leftovers(*spec_.log, *service, shard->spec))
    shard->queue->post([files = all_files(shard->spec), platform = spec_.platform] {
      if (const auto removed = files.remove(platform->disk()); !removed)
        platform->log().warn("shards.files_left", removed.error().describe(), {});
    });
  if (const auto supervisor = caf::actor_cast<caf::actor>(supervisors_[places.service]))
    actors::add_child(supervisor, make_child_(*service, *shard));
}

void NodeShards::end_shard(runtime::GroupId group, const ShardPlaces& places) {
  const auto shard = spec_.hosted->remove(places.service, places.shard);
  if (!shard) return;
  TROUPE_SOMETIMES("a shard ended on a node that goes on");
  spec_.platform->log().info("shards.end", "a shard has left this node",
                             {{"shard", shard->spec.name()}});
  known_[group] = {.here = false, .ending = true};
  const actors::ServiceType& type = *shard->spec.service->type;
  spec_.router->announce(type, places.shard, {});
  const auto ticket =
      end_ticket(*spec_.platform, *spec_.log, *shard, [self = weak_from_this(), group] {
        if (const auto shards = self.lock()) shards->ended(group);
      });
  if (const auto supervisor = caf::actor_cast<caf::actor>(supervisors_[places.service]))
    actors::end_child(supervisor, child_id(places.shard), ticket);
}

void NodeShards::ended(runtime::GroupId group) {
  {
    const std::lock_guard guard{mutex_};
    if (closed_) return;
    known_[group].ending = false;
    // A start that was under way when it was to end may have announced it since.
    const auto services = spec_.hosted->now();
    const auto places = spec_.places->of(group);
    if (const HostedService* one = places ? find_service(*services, places->service) : nullptr)
      spec_.router->announce(*one->service->type, places->shard, {});
  }
  look(group);
}

caf::actor NodeShards::actor_of(const std::string& service, std::uint32_t shard) const {
  const auto services = spec_.hosted->now();
  const HostedService* const found = find_service(*services, service);
  return found ? spec_.router->shard(*found->service->type, shard) : caf::actor{};
}

bool NodeShards::begin_founding(runtime::GroupId group) {
  const std::lock_guard guard{mutex_};
  Known& known = known_[group];
  if (closed_ || known.here || known.ending || known.storing || spec_.log->record(group))
    return false;
  known.founding = true;
  return true;
}

bool NodeShards::store_founding(runtime::GroupId group) {
  const std::lock_guard guard{mutex_};
  Known& known = known_[group];
  if (closed_ || !known.founding || known.storing) return false;
  known.storing = true;
  return true;
}

void NodeShards::finish_founding(runtime::GroupId group) {
  {
    const std::lock_guard guard{mutex_};
    known_[group].founding = known_[group].storing = false;
  }
  look(group);
}

void NodeShards::cancel_founding(runtime::GroupId group) {
  {
    const std::lock_guard guard{mutex_};
    const auto known = known_.find(group);
    if (known == known_.end() || !known->second.founding || known->second.storing) return;
    known->second.founding = false;
  }
  TROUPE_SOMETIMES("a shard that was to be founded here begins like any other");
  look(group);
}

bool NodeShards::here(runtime::GroupId group) {
  const std::lock_guard guard{mutex_};
  const Known& known = known_[group];
  return known.here && !known.founding;
}

// A shard that begins meanwhile looks once more when it can be found (node_tree.cpp).
void NodeShards::configure(const std::string& service, const config::Service& settings) {
  const std::lock_guard guard{mutex_};
  spec_.hosted->configure(service, settings);
  if (closed_) return;
  const auto services = spec_.hosted->now();
  const HostedService* const one = find_service(*services, service);
  if (!one) return;
  const actors::ShardOptions options = spec_.hosted->options_of(service);
  for (const HostedShard& shard : one->shards)
    if (const caf::actor actor = actor_of(service, shard.spec.shard))
      actors::send_options(actor, options);
  if (const auto supervisor = caf::actor_cast<caf::actor>(supervisors_[service]))
    actors::set_limits(supervisor, restart_limits(settings.restart));
}

void NodeShards::tell(const std::string& service, std::uint32_t shard,
                      std::function<void(actors::Shard&)> job) {
  const std::lock_guard guard{mutex_};
  if (closed_) return;
  if (const caf::actor actor = actor_of(service, shard)) actors::send_job(actor, std::move(job));
}

void NodeShards::hand_over(const std::string& service, std::uint32_t shard, const std::string& node,
                           std::shared_ptr<void> ticket) {
  const std::lock_guard guard{mutex_};
  if (closed_) return;
  if (const caf::actor actor = actor_of(service, shard))
    actors::send_hand_over(actor, std::move(ticket), node);
}

void NodeShards::close() {
  const std::lock_guard guard{mutex_};
  closed_ = true;
}

}  // namespace troupe::cluster
