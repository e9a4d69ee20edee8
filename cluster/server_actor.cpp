#include "cluster/server_actor.hpp"

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

#include "actors/supervision.hpp"

namespace troupe::cluster {
namespace {

using drained = caf::atom_constant<caf::atom("drained")>;

class ServerActor final : public caf::event_based_actor {
 public:
  ServerActor(caf::actor_config& config, std::string name, std::shared_ptr<Server> server,
              Duration drain)
      : caf::event_based_actor(config),
        name_(std::move(name)),
        server_(std::move(server)),
        drain_(drain) {}

  const char* name() const override { return name_.c_str(); }

 protected:
  caf::behavior make_behavior() override {
    actors::end_on_exception(this);
    set_exit_handler([this](const caf::exit_msg& message) {
      if (message.reason != caf::exit_reason::user_shutdown) return quit(message.reason);
      // The server calls back from a thread of the network: that must not keep this actor alive.
      server_->stop(drain_, [self = caf::actor_cast<caf::actor_addr>(this)] {
        if (const auto actor = caf::actor_cast<caf::actor>(self))
          caf::anon_send(actor, drained::value);
      });
    });
    return {[this](drained) { quit(caf::exit_reason::user_shutdown); }};
  }

  void on_exit() override { server_.reset(); }

 private:
  const std::string name_;
  std::shared_ptr<Server> server_;
  const Duration drain_;
};

}  // namespace

caf::actor spawn_server(caf::actor_system& system, std::string name, std::shared_ptr<Server> server,
                        Duration drain) {
  return system.spawn<ServerActor>(std::move(name), std::move(server), drain);
}

}  // namespace troupe::cluster
