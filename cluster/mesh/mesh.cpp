#include "cluster/mesh/mesh.hpp"

#include <cstdlib>
#include <utility>

#include "cluster/mesh/mesh_core.hpp"
#include "cluster/mesh/mesh_link.hpp"

namespace troupe::cluster {
namespace {

Error unknown_peer(const std::string& node) {
  return not_found("UNKNOWN_PEER", "the cluster has no node " + node + " that this one knows of");
}

}  // namespace

Result<std::unique_ptr<Mesh>> Mesh::listen(runtime::Platform& platform, MeshOptions options) {
  const auto address = options.listen;
  const auto security = options.security;
  auto core = std::make_shared<MeshCore>(platform, std::move(options));
  std::unique_ptr<Mesh> mesh{new Mesh{core}};
  if (address) {
    TROUPE_TRY(listener,
               platform.network().listen(
                   *address,
                   [core = std::weak_ptr<MeshCore>{core}](std::shared_ptr<runtime::Stream> stream) {
                     const auto open = core.lock();
                     return open ? open->accept(std::move(stream)) : nullptr;
                   },
                   security));
    mesh->listener_ = std::move(listener);
    mesh->local_ = mesh->listener_->local();
  }
  for (const auto& [node, peer] : mesh->core_->options.peers) mesh->core_->set_peer(node, peer);
  return mesh;
}

Mesh::~Mesh() {
  listener_.reset();
  core_->stop();
  core_->gate.close();
  // What subscribers gave must not outlive them; connections that still close hold the core.
  core_->messages = {};
  core_->calls = {};
  core_->link_handlers.clear();
  core_->formats = {};
}

void Mesh::on(FrameKind kind, MessageHandler handler) {
  auto& place = core_->messages[static_cast<std::size_t>(kind)];
  if (core_->running() || place || kind < FrameKind::raft) std::abort();
  place = std::move(handler);
}

void Mesh::on_call(FrameKind kind, CallHandler handler) {
  auto& place = core_->calls[static_cast<std::size_t>(kind)];
  if (core_->running() || place || kind < FrameKind::raft) std::abort();
  place = std::move(handler);
}

void Mesh::on_link(LinkHandler handler) {
  if (core_->running()) std::abort();
  core_->link_handlers.push_back(std::move(handler));
}

void Mesh::formats(MeshFormats formats) {
  if (core_->running()) std::abort();
  core_->formats = std::move(formats);
}

void Mesh::check_formats() {
  for (const auto& link : core_->links()) link->check_formats();
}

void Mesh::start(std::function<void(Duration)> wake_after) {
  core_->start(std::move(wake_after));
}

void Mesh::tick() {
  core_->tick();
}

void Mesh::stop() {
  core_->stop();
}

void Mesh::set_peer(const std::string& node, runtime::Address address) {
  core_->set_peer(node, std::move(address));
}

void Mesh::remove_peer(const std::string& node) {
  core_->remove_peer(node);
}

Result<void> Mesh::send(const std::string& node, Lane lane, FrameKind kind, std::string bytes,
                        Sent sent) {
  if (lane == Lane::control || kind < FrameKind::raft) std::abort();
  const auto link = core_->find(node);
  if (!link) return unknown_peer(node);
  return link->send(lane, kind, std::move(bytes), std::move(sent));
}

void Mesh::call(const std::string& node, FrameKind kind, std::string request,
                MonotonicTime deadline, Answer answer) {
  const auto link = core_->find(node);
  if (!link) return answer(unknown_peer(node));
  link->call(kind, std::move(request), deadline, std::move(answer));
}

bool Mesh::is_up(const std::string& node) const {
  const auto link = core_->find(node);
  return link && link->is_up();
}

std::vector<MeshLinkStatus> Mesh::status() const {
  std::vector<MeshLinkStatus> all;
  for (const auto& link : core_->links()) all.push_back(link->status());
  return all;
}

}  // namespace troupe::cluster
