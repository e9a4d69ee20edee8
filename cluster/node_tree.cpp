#include "cluster/node_tree.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>
#include <map>

#include "actors/shard/shard_actor.hpp"
#include "cluster/mesh/mesh_actor.hpp"
#include "cluster/node_admin.hpp"
#include "cluster/node_directory.hpp"
#include "cluster/node_shards.hpp"
#include "cluster/steward.hpp"

namespace troupe::cluster {
namespace {

using actors::ChildSpec;
using actors::SupervisorSpec;

// A stopping shard may wait for a commit behind a slow disk.
constexpr Duration shard_shutdown = std::chrono::seconds{10};

ChildSpec supervisor_child(const NodeTreeSpec& spec, std::vector<std::string> path,
                           SupervisorSpec supervisor) {
  ChildSpec child;
  child.id = path.back();
  child.shutdown = Duration::max();  // its children have their limits
  child.start = [context = actors::SupervisionContext{spec.platform, spec.tree},
                 path = std::move(path),
                 supervisor = std::move(supervisor)](caf::event_based_actor* parent) {
    return actors::spawn_supervisor(parent->system(), context, path, supervisor);
  };
  return child;
}

ChildSpec shard_child(const NodeTreeSpec& spec, const HostedService& service,
                      const HostedShard& shard) {
  ChildSpec child;
  child.id = "shard " + std::to_string(shard.spec.shard);
  child.shutdown = shard_shutdown;
  child.start = [shard_spec = shard.spec, type = service.service->type, router = spec.router,
                 hosted = spec.hosted,
                 surroundings = actors::ShardSurroundings{
                     spec.platform,
                     spec.log,
                     spec.consensus,
                     shard.queue,
                     shard.vitals,
                     [admin = spec.admin, shards = spec.shards, group = shard.spec.group] {
                       admin->shard_changed();
                       shards->look(group);
                     },
                     {},
                     spec.splits}](caf::event_based_actor* parent) {
    actors::ShardSpec now = shard_spec;
    now.options = hosted->options_of(type->name);
    caf::actor actor = actors::spawn_shard(parent->system(), now, surroundings);
    router->announce(*type, shard_spec.shard, actor,
                     [vitals = surroundings.vitals] { return vitals->leader(); });
    // They may have changed before it was announced, so that nobody told it.
    if (const auto options = hosted->options_of(type->name); options != now.options)
      actors::send_options(actor, options);
    return actor;
  };
  return child;
}

SupervisorSpec service_supervisor(const NodeTreeSpec& spec, const HostedService& service) {
  SupervisorSpec supervisor;
  static_cast<actors::RestartLimits&>(supervisor) = restart_limits(service.settings.restart);
  for (const HostedShard& shard : service.shards)
    supervisor.children.push_back(shard_child(spec, service, shard));
  return supervisor;
}

// Its shards are those of the moment when it starts.
ChildSpec service_child(const NodeTreeSpec& spec, const std::string& context,
                        const std::string& name) {
  ChildSpec child;
  child.id = "service " + name;
  child.shutdown = Duration::max();  // its children have their limits
  child.start = [spec, name, path = std::vector<std::string>{context, child.id}](
                    caf::event_based_actor* parent) {
    return spec.shards->start_service(name, [&](const HostedService& service) {
      return actors::spawn_supervisor(parent->system(), {spec.platform, spec.tree}, path,
                                      service_supervisor(spec, service));
    });
  };
  return child;
}

ChildSpec steward_child(const NodeTreeSpec& spec) {
  const auto find_in = [router = spec.router](const HostedService& service,
                                              runtime::GroupId group) -> caf::actor {
    for (const HostedShard& shard : service.shards)
      if (shard.spec.group == group) return router->shard(*service.service->type, shard.spec.shard);
    return nullptr;
  };
  ChildSpec child;
  child.id = "node log";
  child.start =
      [steward = StewardSpec{
           spec.platform, spec.log, spec.log_segments_max,
           [hosted = spec.hosted, directory = spec.directory, find_in](runtime::GroupId group) {
             caf::actor shard;
             for (const auto services = hosted->now(); const HostedService& service : *services)
               if (!shard) shard = find_in(service, group);
             if (!shard) shard = find_in(directory->hosted(), group);
             if (shard) actors::send_checkpoint(shard);
           },
           [admin = spec.admin] { admin->publish_metrics(); }}](caf::event_based_actor* parent) {
        return spawn_steward(parent->system(), steward);
      };
  return child;
}

ChildSpec router_child(const NodeTreeSpec& spec) {
  ChildSpec child;
  child.id = "router";
  child.shutdown = std::chrono::seconds{1};
  child.start = [router = spec.router](caf::event_based_actor* parent) {
    caf::actor actor = actors::spawn_executor(parent->system());
    router->use(actors::executor_of(actor));
    return actor;
  };
  return child;
}

ChildSpec mesh_child(const NodeTreeSpec& spec) {
  ChildSpec child;
  child.id = "mesh";
  child.shutdown = std::chrono::seconds{1};
  child.start = [mesh = spec.mesh](caf::event_based_actor* parent) {
    return spawn_mesh(parent->system(), *mesh);
  };
  return child;
}

ChildSpec server_child(std::string id, Duration drain,
                       std::function<std::shared_ptr<Server>()> make) {
  ChildSpec child;
  child.id = id;
  child.shutdown = drain + std::chrono::seconds{5};
  child.start = [id, drain, make = std::move(make)](caf::event_based_actor* parent) {
    return spawn_server(parent->system(), id, make(), drain);
  };
  return child;
}

}  // namespace

caf::actor spawn_node_tree(caf::actor_system& system, const NodeTreeSpec& spec) {
  SupervisorSpec root;
  root.children.push_back(steward_child(spec));
  root.children.push_back(server_child("admin", std::chrono::seconds{1},
                                       [servers = spec.servers] { return servers->admin(); }));
  root.children.push_back(router_child(spec));
  root.children.push_back(mesh_child(spec));
  root.children.push_back(spec.directory->child({spec.platform, spec.tree}, spec.consensus));

  // One supervisor per bounded context, and below it one per service.
  spec.shards->make_children([spec](const HostedService& service, const HostedShard& shard) {
    return shard_child(spec, service, shard);
  });
  std::map<std::string, SupervisorSpec> contexts;
  for (const auto services = spec.hosted->now(); const HostedService& service : *services) {
    const std::string context = "context " + service.service->type->context;
    contexts[context].children.push_back(service_child(spec, context, service.service->type->name));
  }
  for (auto& [context, supervisor] : contexts)
    root.children.push_back(supervisor_child(spec, {context}, std::move(supervisor)));

  if (spec.servers->gateway_address)
    root.children.push_back(server_child("gateway", spec.drain,
                                         [servers = spec.servers] { return servers->gateway(); }));
  if (spec.servers->grpc_address)
    root.children.push_back(
        server_child("grpc", spec.drain, [servers = spec.servers] { return servers->grpc(); }));
  return actors::spawn_supervisor(system, {spec.platform, spec.tree}, {}, std::move(root));
}

}  // namespace troupe::cluster
