// The links between the nodes of a cluster: one per pair, made and kept by itself, over the byte
// streams of runtime::Network (which authenticates them). Messages in lanes, calls with deadlines.
//
//   auto mesh = Mesh::listen(platform, options);
//   mesh->on(FrameKind::raft, [](const std::string& from, MeshMessage message) { ... });
//   mesh->on_call(FrameKind::command, [](IncomingCall call) { ... call.answer(...); });
//   spawn_mesh(system, mesh);  // cluster/mesh/mesh_actor.hpp: the links begin
//   mesh->send("n2", Lane::consensus, FrameKind::raft, bytes);
//   mesh->call("n2", FrameKind::command, bytes, deadline, [](Result<std::string> reply) { ... });
//
// What a subscriber may rely on:
// - Messages of one lane to one node arrive in order, each at most once; none arrives after one
// that
//   was sent later in its lane. What is in a link when it ends is lost.
// - Consensus goes before calls and calls before bulk. What was handed to the stream before is at
//   most `unsent_bytes_max` and a frame, and of bulk on the way at most `bulk_window`.
// - A peer that does not keep up is not waited for: its calls are refused here at once, its
//   consensus messages dropped, its bulk messages wait, all within bounds of bytes.
// - A call is answered once: by the peer, at its deadline, or when the link ends. UNAVAILABLE with
//   LINK_DOWN, UNKNOWN_PEER or LINK_FULL: it was not sent. With LINK_LOST or CALL_DROPPED, and
//   DEADLINE_EXCEEDED: it may have run.
//
// Threads: it has none of its own, and any thread may call anything but what is marked. Handlers
// run where the bytes come in, on a thread of the network, must not block, and may call the mesh:
// they parse, post to actors and answer; what they throw is logged. Those of one link run one at a
// time and in order (if a peer's new link replaces one that still has something to say, the two may
// overlap where a network has several threads). Answers come on the network's thread, the mesh
// actor's, that of stop(), or, for what cannot be sent, inside call(). The mesh actor only keeps
// the time: heartbeats, redials, deadlines.
//
// Two nodes dial each other. If both succeed at once, the link that the smaller name dialled stays.
// A node that finds its peer gone dials again and replaces what the peer still holds for a link,
// and so does another incarnation of the node.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cluster/mesh/mesh_options.hpp"
#include "cluster/mesh/messages.hpp"
#include "runtime/platform/platform.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

struct MeshCore;

class Mesh {
 public:
  // Errors are those of Network::listen. The platform outlives the mesh. No link comes up yet.
  static Result<std::unique_ptr<Mesh>> listen(runtime::Platform& platform, MeshOptions options);

  // When it returns no handler runs or will run; so it must not be called from inside one.
  ~Mesh();
  Mesh(const Mesh&) = delete;
  Mesh& operator=(const Mesh&) = delete;

  // --- before the first start(), from one thread; a kind has one handler
  // --------------------------
  void on(FrameKind kind, MessageHandler handler);
  void on_call(FrameKind kind, CallHandler handler);
  // Before the first and after the last message of a link. Several may listen.
  void on_link(LinkHandler handler);
  void formats(MeshFormats formats);

  // --- for the mesh actor
  // ------------------------------------------------------------------------- Begins to dial and
  // accept. `wake_after` has tick() called after that time, in any context but its own; a call of
  // it too many does no harm.
  void start(std::function<void(Duration)> wake_after);
  void tick();
  // Ends all links, orderly; open calls are answered. start() may follow.
  void stop();

  // --- peers
  // -------------------------------------------------------------------------------------- A node
  // to be linked with, or where it is now. Ignored for our own name.
  void set_peer(const std::string& node, runtime::Address address);
  void remove_peer(const std::string& node);

  // --- sending
  // ------------------------------------------------------------------------------------ An error
  // says that nothing was sent: NOT_FOUND / UNKNOWN_PEER, UNAVAILABLE / LINK_DOWN,
  // RESOURCE_EXHAUSTED / LINK_FULL, INVALID_ARGUMENT / MESSAGE_TOO_LARGE (payload_bytes_max()).
  // `sent` is called once if there was no error, possibly inside send(), and tells a sender of bulk
  // when to go on. Many at once: cluster/mesh/mesh_turn.hpp.
  Result<void> send(const std::string& node, Lane lane, FrameKind kind, std::string bytes,
                    Sent sent = {});

  // Travels in lane call. Errors of the peer's handler come as they are.
  void call(const std::string& node, FrameKind kind, std::string request, MonotonicTime deadline,
            Answer answer);

  // What may_link() says may be another thing now: ends links that must not be.
  void check_formats();

  // --- looking
  // ------------------------------------------------------------------------------------
  bool is_up(const std::string& node) const;
  std::vector<MeshLinkStatus> status() const;               // by name
  const runtime::Address& local() const { return local_; }  // where it listens

 private:
  explicit Mesh(std::shared_ptr<MeshCore> core) : core_{std::move(core)} {}

  std::shared_ptr<MeshCore> core_;
  std::unique_ptr<runtime::Listener> listener_;
  runtime::Address local_;
};

}  // namespace troupe::cluster
