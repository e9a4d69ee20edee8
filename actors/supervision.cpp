#include "actors/supervision.hpp"

#include <algorithm>
#include <caf/actor_system.hpp>
#include <caf/send.hpp>
#include <stdexcept>

#include "actors/supervisor.hpp"

namespace troupe::actors {

void add_child(const caf::actor& supervisor, ChildSpec child) {
  caf::anon_send(supervisor, AddChild{std::make_shared<ChildSpec>(std::move(child))});
}

void end_child(const caf::actor& supervisor, std::string id, std::shared_ptr<void> ticket) {
  caf::anon_send(supervisor, EndChild{std::move(id), std::move(ticket)});
}

void set_limits(const caf::actor& supervisor, const RestartLimits& limits) {
  caf::anon_send(supervisor, limits);
}

caf::actor spawn_supervisor(caf::actor_system& system, SupervisionContext context,
                            std::vector<std::string> path, SupervisorSpec spec) {
  for (auto child = spec.children.begin(); child != spec.children.end(); ++child) {
    if (!child->start)
      throw std::invalid_argument("child '" + child->id + "' has no start function");
    if (std::any_of(spec.children.begin(), child,
                    [&](const ChildSpec& other) { return other.id == child->id; }))
      throw std::invalid_argument("two children are called '" + child->id + "'");
  }
  return system.spawn<Supervisor>(std::move(context), std::move(path), std::move(spec));
}

}  // namespace troupe::actors
