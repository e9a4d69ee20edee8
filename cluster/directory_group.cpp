#include "cluster/directory_group.hpp"

#include <caf/actor_cast.hpp>
#include <utility>

#include "actors/shard/shard_actor.hpp"
#include "cluster/shard_end.hpp"
#include "runtime/rehearsal/marks.hpp"

namespace troupe::cluster {

DirectoryGroup::DirectoryGroup(DirectoryGroupSpec spec)
    : spec_(std::move(spec)), vitals_(std::make_shared<actors::ShardVitals>()) {
  hosted_.service = spec_.shard.service;
  hosted_.shards.push_back(
      {spec_.shard,
       spec_.platform->workers().queue(spec_.shard.name(), runtime::Workers::Kind::pooled),
       vitals_});
}

Result<void> DirectoryGroup::begin(bool wanted) {
  const std::lock_guard guard{mutex_};
  wanted_ = wanted;
  here_ = wanted || has_past(*spec_.log, spec_.shard.group);
  if (here_ || !spec_.log->record(spec_.shard.group)) return {};
  return all_files(spec_.shard).remove(spec_.platform->disk());
}

bool DirectoryGroup::here() const {
  const std::lock_guard guard{mutex_};
  return here_;
}

caf::actor DirectoryGroup::start(const std::function<caf::actor(bool here)>& spawn) {
  const std::lock_guard guard{mutex_};
  caf::actor supervisor = spawn(here_);
  supervisor_ = supervisor.address();
  return supervisor;
}

void DirectoryGroup::want(bool wanted) {
  const std::lock_guard guard{mutex_};
  wanted_ = wanted;
  begin_or_end();
}

void DirectoryGroup::look() {
  const std::lock_guard guard{mutex_};
  begin_or_end();
}

void DirectoryGroup::places_changed() {
  if (const auto actor = spec_.router->shard(*spec_.shard.service->type, 0))
    actors::send_job(actor, [](actors::Shard& shard) { shard.places_changed(); });
}

void DirectoryGroup::begin_or_end() {
  if (closed_ || ending_) return;  // it will be looked at when it has ended
  const bool wanted = wanted_ || has_past(*spec_.log, spec_.shard.group);
  if (wanted == here_) return;
  const auto supervisor = caf::actor_cast<caf::actor>(supervisor_);
  here_ = wanted;
  if (wanted) {
    TROUPE_SOMETIMES("a node came to keep the directory");
    spec_.platform->log().info("directory.begin", "this node comes to keep the directory");
    if (supervisor) actors::add_child(supervisor, make_child_());
    return;
  }
  TROUPE_SOMETIMES("a node ceased to keep the directory");
  spec_.platform->log().info("directory.end", "this node does not keep the directory any more");
  ending_ = true;
  spec_.router->announce(*spec_.shard.service->type, 0, {});
  const auto ticket =
      end_ticket(*spec_.platform, *spec_.log, hosted_.shards.front(), [self = weak_from_this()] {
        if (const auto group = self.lock()) group->ended();
      });
  if (supervisor) actors::end_child(supervisor, "group", ticket);
}

void DirectoryGroup::ended() {
  const std::lock_guard guard{mutex_};
  if (closed_) return;
  ending_ = false;
  vitals_->set({});
  // A start that was under way when it was to end may have announced it since.
  spec_.router->announce(*spec_.shard.service->type, 0, {});
  begin_or_end();
}

void DirectoryGroup::close() {
  HostedService last;
  const std::lock_guard guard{mutex_};
  closed_ = true;
  std::swap(last.shards, hosted_.shards);
}

}  // namespace troupe::cluster
