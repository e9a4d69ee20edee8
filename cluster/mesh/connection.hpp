// One stream between two nodes: from its first byte to its end, a link or not.
//
// Threads: callbacks come one at a time. Members below `link` are guarded by the link's mutex.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "cluster/mesh/frame.hpp"
#include "cluster/mesh/mesh_core.hpp"

namespace troupe::cluster {

class MeshConnection final : public runtime::StreamHandler,
                             public std::enable_shared_from_this<MeshConnection> {
 public:
  // Accepted if there is no link, else dialled.
  MeshConnection(std::shared_ptr<MeshCore> core, std::shared_ptr<runtime::Stream> stream,
                 std::shared_ptr<MeshLink> link, std::uint64_t dial);

  void on_data(std::string_view bytes) override;
  void on_closed(const Result<void>& why) override;
  void on_drained() override;

  // Says why, and closes. Logs it.
  void refuse(const std::string& node, const Error& why);
  void send(FrameKind kind, std::string_view payload);

  // Credits and replies of what came; any thread.
  void give_back(Lane lane, std::size_t bytes);
  void reply(std::uint64_t call, Result<std::string> reply, std::size_t credit);

  const std::shared_ptr<MeshCore> core;
  const std::shared_ptr<runtime::Stream> stream;
  const runtime::Address remote;
  const bool dialled;

  enum class Phase : std::uint8_t {
    accepted,  // waits for a hello
    greeted,   // has answered it, waits for ready
    dialled,   // waits for the answer to its hello
    up,
    over,  // refused, replaced, closed: what comes is ignored
  };

  // Set when the peer is known; then the mutex of the link guards what follows.
  std::shared_ptr<MeshLink> link;
  Phase phase;
  std::uint64_t dial = 0;  // its number, of whoever dialled
  std::uint64_t incarnation = 0;
  std::uint32_t version = 0;
  std::uint64_t call_window = 0;  // what the peer takes
  std::uint64_t bulk_window = 0;
  std::vector<std::string> formats;  // that its program reads
  struct Inward {
    std::size_t held = 0;     // came and is not dealt with
    std::size_t to_tell = 0;  // dealt with, and the peer does not know
  };
  std::array<Inward, 4> inward{};  // by lane
  std::size_t unsent = 0;          // in the stream, at most

 private:
  Result<void> take(const Frame& frame);
  Result<void> take_hello(const Frame& frame);
  Result<void> take_answer(const Frame& frame);
  std::optional<std::string> proven() const;

  FrameReader reader_;
};

}  // namespace troupe::cluster
