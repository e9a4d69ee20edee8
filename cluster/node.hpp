// One node: the composition root. Takes a platform and a manifest, opens the data folder, builds
// the supervision tree (architecture.md, Supervision tree), routes, listens.
//
//   node
//   +- node log             steward of the one writer: metrics, checkpoints of laggards
//   +- admin                health, metrics, status
//   +- directory            the node's part in it (cluster/node_directory.hpp)
//   +- context banking
//   |  +- service banking.v1.Accounts
//   |     +- shard 0 ...
//   +- gateway, grpc        HTTP and gRPC in, last to start, first to stop
//
// Threads: start() and the destructor block and belong to the owner's thread; everything else may
// be called from any thread. The same object code runs on every platform.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "actors/client.hpp"
#include "actors/service.hpp"
#include "cluster/directory/formats.hpp"
#include "config/manifest.hpp"
#include "runtime/platform/platform.hpp"
#include "runtime/result.hpp"

namespace caf {
class actor_system;
}

namespace troupe::cluster {

class Places;

class Node {
 public:
  // The data folder must have been made this node's by create_cluster(). Errors, each with the path
  // or the address it is about: FOLDER_EMPTY (it was not), FOLDER_IN_USE, FOLDER_FOREIGN (it
  // belongs to another node or cluster), LOG_CORRUPT, ADDRESS_IN_USE, NODE_UNKNOWN,
  // FORMAT_UNREADABLE, and the disk's. `formats`: that it reads (directory/formats.hpp).
  // When it returns, the node listens and its shards are on their way: see when_ready().
  static Result<std::unique_ptr<Node>> start(runtime::Platform& platform,
                                             const config::Manifest& manifest,
                                             const std::string& name,
                                             const actors::ServiceRegistry& registry,
                                             std::vector<std::string> formats = formats_read());

  // Calls back once, when every shard serves, from any thread, possibly before this returns.
  virtual void when_ready(std::function<void()> ready) = 0;
  virtual bool ready() const = 0;

  // Stops in good order: no new connections, requests in flight answered, batches committed. Calls
  // back when every actor has ended. The node is then only good for its destructor.
  virtual void stop(std::function<void()> stopped) = 0;

  // After stop(), or as a kill: actors are ended without finishing their work.
  virtual ~Node() = default;

  // Calls from inside the process: tests, benches, embedding programs.
  virtual actors::Client& client() = 0;
  virtual caf::actor_system& system() = 0;

  // Where replicas are to be. Whoever changes them makes shards move (node_shards.hpp); they are to
  // be changed on all nodes alike.
  virtual Places& places() = 0;
  // Lets a shard that this node leads be led on that node, if it has a voter that lives there. Lets
  // go of the ticket when that is done or cannot be.
  virtual void hand_over(const std::string& service, std::uint32_t shard, const std::string& node,
                         std::shared_ptr<void> ticket) = 0;

  // The bound addresses: the manifest's, with the port that the system picked where it said 0.
  virtual std::optional<runtime::Address> gateway() const = 0;
  virtual runtime::Address admin() const = 0;
};

}  // namespace troupe::cluster
