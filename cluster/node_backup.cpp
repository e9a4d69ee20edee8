#include "cluster/node_backup.hpp"

#include <algorithm>
#include <utility>

#include "actors/encoding.hpp"
#include "actors/shard/shard_actor.hpp"
#include "runtime/rehearsal/marks.hpp"
#include "runtime/storage/vfs_file.hpp"

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t piece_bytes_max = 256u << 10;
constexpr Duration keep_unused = 60s;
constexpr Duration step_time_max = 4s;  // of another node; less than whoever asks waits for

std::string name_of(const std::string& service, std::uint32_t shard) {
  return service + "/" + std::to_string(shard);
}

BackupSurvey::Service& service_in(BackupSurvey& survey, const std::string& name) {
  for (auto& one : *survey.mutable_services())
    if (one.service() == name) return one;
  auto& added = *survey.add_services();
  added.set_service(name);
  return added;
}

void add_shards(BackupSurvey& survey, const DirectoryTable& table) {
  for (const DirectoryShard& shard : table.shards()) {
    auto& one = *service_in(survey, shard.service()).add_shards();
    one.set_shard(shard.shard());
    *one.mutable_nodes() = shard.nodes();
    const DirectoryService* service = find_service(table, shard.service());
    if (service && static_cast<int>(shard.shard()) < service->first_bucket_size())
      one.set_first_bucket(service->first_bucket(static_cast<int>(shard.shard())));
  }
}

void add_shards(BackupSurvey& survey, const ServicePlaces& places, const BucketRanges& ranges) {
  for (const auto& [name, shards] : places) {
    const auto first_buckets = first_buckets_of(name, shards.size(), ranges);
    std::uint32_t number = 0;
    for (const Replicas& replicas : shards) {
      if (replicas.empty()) break;  // nobody hosts the service
      auto& one = *service_in(survey, name).add_shards();
      one.set_shard(number);
      one.set_first_bucket(first_buckets[number++]);
      for (const RaftVoter& replica : replicas) one.add_nodes(replica.node);
    }
  }
}

// Answers by itself if nobody else does: a shard that ends drops what it was asked.
NodeBackup::Answer answered_in_any_case(NodeBackup::Answer answer) {
  const std::shared_ptr<NodeBackup::Answer> once{
      new NodeBackup::Answer{std::move(answer)}, [](NodeBackup::Answer* left) {
        if (*left) (*left)(unavailable("SHARD_UNAVAILABLE", "the shard stopped meanwhile"));
        delete left;
      }};
  return [once](Result<BackupAnswer> told) {
    if (const auto whom = std::exchange(*once, nullptr)) whom(std::move(told));
  };
}

}  // namespace

BackupSurvey backup_survey(const std::string& cluster, const FolderIdentity& identity,
                           const DirectoryTable* table, const ServicePlaces& places,
                           const BucketRanges& ranges) {
  BackupSurvey survey;
  survey.set_cluster(cluster);
  survey.set_cluster_id(identity.cluster_id);
  survey.set_node(identity.node);
  survey.set_version(TROUPE_VERSION);
  if (table != nullptr && table->version() > 0)
    add_shards(survey, *table);
  else
    add_shards(survey, places, ranges);
  return survey;
}

std::optional<RaftBase> restored_base(const Restored& restored, const ServicePlaces& places,
                                      runtime::GroupId group) {
  for (const auto& [name, shards] : places)
    for (std::uint32_t shard = 0; shard < shards.size(); ++shard) {
      if (group_of(name, shard) != group) continue;
      const auto found = restored.shards.find(name + "/" + std::to_string(shard));
      if (found == restored.shards.end()) return std::nullopt;
      return RaftBase{found->second.index, found->second.term};
    }
  return std::nullopt;
}

NodeBackup::NodeBackup(NodeBackupSpec spec)
    : spec_(std::move(spec)),
      numbers_(spec_.platform->random().between(1, 1ull << 40)),
      queue_(spec_.platform->workers().queue("backup", runtime::Workers::Kind::pooled)) {
  if (!spec_.mesh) return;
  spec_.mesh->on_call(FrameKind::backup, [this](const IncomingCall& call) {
    if (!call.begin()) return;
    BackupRequest request;
    if (!request.ParseFromString(call.bytes()))
      return call.answer(invalid_argument("BACKUP_STEP_EMPTY", "the step does not parse"));
    take_here(request, [call](Result<BackupAnswer> answer) {
      if (!answer) return call.answer(std::move(answer).error());
      call.answer(answer->SerializeAsString());
    });
  });
}

void NodeBackup::post(std::function<void()> job) {
  if (queue_) queue_->post(std::move(job));
}

void NodeBackup::take(const BackupRequest& request, Answer answer) {
  if (request.node().empty() || request.node() == spec_.node)
    return take_here(request, std::move(answer));
  spec_.mesh->call(
      request.node(), FrameKind::backup, request.SerializeAsString(),
      spec_.platform->clock().now() + step_time_max,
      [answer = std::move(answer)](Result<std::string> bytes) {
        if (!bytes) return answer(std::move(bytes).error());
        BackupAnswer told;
        if (!told.ParseFromString(*bytes))
          return answer(internal("REPLY_MALFORMED", "a node's answer to a backup does not parse"));
        answer(std::move(told));
      });
}

void NodeBackup::take_here(const BackupRequest& request, Answer answer) {
  switch (request.step_case()) {
    case BackupRequest::kMark:
      return mark(request.mark(), std::move(answer));
    case BackupRequest::kCopy:
      return copy(request.copy(), answer);
    case BackupRequest::kPiece:
      return piece(request.piece(), std::move(answer));
    case BackupRequest::STEP_NOT_SET:
      break;
  }
  answer(invalid_argument("BACKUP_STEP_EMPTY", "the request says no step of a backup"));
}

std::pair<caf::actor, actors::ShardSpec> NodeBackup::find(const std::string& service,
                                                          std::uint32_t shard) const {
  for (const auto services = spec_.hosted->now(); const HostedService& one : *services)
    for (const HostedShard& hosted : one.shards)
      if (one.service->type->name == service && hosted.spec.shard == shard)
        return {spec_.router->shard(*one.service->type, shard), hosted.spec};
  return {};
}

void NodeBackup::mark(const BackupRequest::Mark& mark, Answer answer) {
  const auto actor = find(mark.service(), mark.shard()).first;
  answer = answered_in_any_case(std::move(answer));
  if (!actor)
    return answer(unavailable("SHARD_UNAVAILABLE", name_of(mark.service(), mark.shard()) +
                                                       " does not run on node " + spec_.node));
  actors::send_job(actor, [node = spec_.node, answer](actors::Shard& shard) {
    const auto group = shard.group();
    shard.mark([node, answer, members = group.members](const Result<runtime::LogIndex>& index) {
      if (!index) return answer(index.error());
      BackupAnswer told;
      told.mutable_mark()->set_index(*index);
      told.mutable_mark()->set_leader(node);
      for (const auto& member : members)
        if (member.voter) told.mutable_mark()->add_voters(member.node);
      answer(std::move(told));
    });
  });
}

void NodeBackup::copy(const BackupRequest::Copy& copy, const Answer& answer) {
  const std::string shard = name_of(copy.service(), copy.shard());
  const auto [actor, spec] = find(copy.service(), copy.shard());
  if (!actor)
    return answer(unavailable("SHARD_UNAVAILABLE", shard + " does not run on node " + spec_.node));
  std::uint64_t number = 0;
  std::string path;
  {
    const std::lock_guard guard{mutex_};
    make_room(shard);
    number = ++numbers_;
    path = spec.file(number) + ".backup";
    Copy& begun = copies_[number];
    begun.shard = shard;
    begun.path = path;
    begun.used = spec_.platform->clock().now();
  }
  // Whoever drops it leaves the copy failed.
  const std::shared_ptr<void> dropped{
      nullptr, [this, number](void*) { fail(number, "the shard stopped or began anew"); }};
  spec_.platform->log().info("backup.copy", "a shard file is copied for a backup",
                             {{"shard", shard}, {"index", copy.index()}});
  actors::send_job(actor,
                   [this, number, path, dropped, index = copy.index()](actors::Shard& replica) {
                     replica.back_up(
                         index, path,
                         [this, number] {
                           const std::lock_guard guard{mutex_};
                           const auto found = copies_.find(number);
                           if (found != copies_.end())
                             found->second.state = BackupAnswer::Piece::COPIES;
                         },
                         [this, number, path, dropped](Result<actors::Shard::Backup> backup) {
                           made(number, path, std::move(backup));
                         });
                   });
  BackupAnswer told;
  told.set_copy(number);
  answer(std::move(told));
}

// For one more of that shard: two backups may be under way, and what one gave up lies here still.
void NodeBackup::make_room(const std::string& shard) {
  constexpr std::size_t others_max = 2;
  for (;;) {
    std::size_t others = 0;
    auto oldest = copies_.end();
    for (auto place = copies_.begin(); place != copies_.end(); ++place) {
      if (place->second.shard != shard) continue;
      ++others;
      if (oldest == copies_.end() || place->second.used < oldest->second.used) oldest = place;
    }
    if (others < others_max) return;
    remove(oldest->second.path);
    copies_.erase(oldest);
  }
}

void NodeBackup::made(std::uint64_t number, const std::string& path,
                      Result<actors::Shard::Backup> backup) {
  if (!backup) return fail(number, backup.error().describe());
  {
    const std::lock_guard guard{mutex_};
    const auto found = copies_.find(number);
    if (found == copies_.end()) return remove(path);  // nobody wants it any more
    found->second.made = true;
  }
  post([this, number, path, backup = *backup] {
    const auto bytes = spec_.platform->disk().size(path);
    const std::lock_guard guard{mutex_};
    const auto found = copies_.find(number);
    if (found == copies_.end()) return;
    Copy& copy = found->second;
    copy.state = bytes ? BackupAnswer::Piece::READY : BackupAnswer::Piece::GONE;
    if (!bytes) copy.why = bytes.error().describe();
    copy.used = spec_.platform->clock().now();
    copy.file.set_index(backup.applied.index);
    copy.file.set_term(backup.applied.term);
    copy.file.set_time_ms(backup.applied.time_ms);
    copy.file.set_chain(backup.applied.chain);
    copy.file.set_entities(backup.entities);
    copy.file.set_bytes(bytes ? *bytes : 0);
  });
}

// Of one that is not made.
void NodeBackup::fail(std::uint64_t number, const std::string& why) {
  const std::lock_guard guard{mutex_};
  const auto found = copies_.find(number);
  if (found == copies_.end() || found->second.made) return;
  TROUPE_SOMETIMES("a copy for a backup came to nothing");
  found->second.state = BackupAnswer::Piece::GONE;
  found->second.why = why;
}

void NodeBackup::piece(const BackupRequest::Piece& piece, Answer answer) {
  const std::string shard = name_of(piece.service(), piece.shard());
  BackupAnswer told;
  BackupAnswer::Piece& part = *told.mutable_piece();
  std::string path;
  {
    const std::lock_guard guard{mutex_};
    const auto found = copies_.find(piece.copy());
    if (found == copies_.end() || found->second.shard != shard) {
      part.set_state(BackupAnswer::Piece::GONE);
      part.set_why("there is no such copy any more");
    } else {
      Copy& copy = found->second;
      copy.used = spec_.platform->clock().now();
      path = copy.path;
      part.set_state(copy.state);
      part.set_why(copy.why);
      *part.mutable_file() = copy.file;
      part.set_offset(piece.offset());
      if (piece.drop()) {
        remove(path);
        copies_.erase(found);
      }
    }
  }
  if (part.state() != BackupAnswer::Piece::READY || piece.drop()) return answer(std::move(told));
  post([told = std::move(told), path, answer = std::move(answer),
        disk = &spec_.platform->disk()]() mutable {
    auto file = runtime::VfsFile::open_to_read(*disk, path);
    if (!file) return answer(std::move(file).error());
    std::string& bytes = *told.mutable_piece()->mutable_bytes();
    bytes.resize(piece_bytes_max);
    const auto read = file->read(told.piece().offset(), bytes.data(), bytes.size());
    if (!read) return answer(read.error());
    bytes.resize(*read);
    answer(std::move(told));
  });
}

void NodeBackup::tidy() {
  const std::lock_guard guard{mutex_};
  for (auto place = copies_.begin(); place != copies_.end();) {
    const Copy& copy = place->second;
    if (copy.state == BackupAnswer::Piece::COPIES ||
        spec_.platform->clock().now() - copy.used < keep_unused) {
      ++place;
      continue;
    }
    TROUPE_SOMETIMES("a copy for a backup was removed because nobody wanted it");
    remove(copy.path);
    place = copies_.erase(place);
  }
}

void NodeBackup::remove(const std::string& path) {
  post([path, disk = &spec_.platform->disk()] {
    static_cast<void>(disk->remove(path));  // the shard's next start tries again
  });
}

}  // namespace troupe::cluster
