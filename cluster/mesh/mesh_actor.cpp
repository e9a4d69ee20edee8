#include "cluster/mesh/mesh_actor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "actors/supervision.hpp"

namespace troupe::cluster {
namespace {

using mesh_tick = caf::atom_constant<caf::atom("meshtick")>;

class MeshActor final : public caf::event_based_actor {
 public:
  MeshActor(caf::actor_config& config, Mesh& mesh) : caf::event_based_actor(config), mesh_(mesh) {}

  const char* name() const override { return "mesh"; }

 protected:
  caf::behavior make_behavior() override {
    actors::end_on_exception(this);
    // Called by any thread; must not keep this actor alive.
    mesh_.start([self = caf::actor_cast<caf::actor_addr>(this)](Duration time) {
      const auto actor = caf::actor_cast<caf::actor>(self);
      if (!actor) return;
      if (time <= Duration::zero()) {
        caf::anon_send(actor, mesh_tick::value);
      } else {
        caf::delayed_anon_send(actor, time, mesh_tick::value);
      }
    });
    return {[this](mesh_tick) { mesh_.tick(); }};
  }

  void on_exit() override { mesh_.stop(); }

 private:
  Mesh& mesh_;
};

}  // namespace

caf::actor spawn_mesh(caf::actor_system& system, Mesh& mesh) {
  return system.spawn<MeshActor>(mesh);
}

}  // namespace troupe::cluster
