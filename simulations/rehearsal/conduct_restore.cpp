// What becomes of the operator's backup: all machines lose their disks, a new cluster is made of it
// on them, with the same manifest, and that is what the old one was when each of its shards was
// backed up. Its clock may be behind, and the power may fail while files are restored.
#include <algorithm>

#include "cluster/backup/catalogue.hpp"
#include "cluster/cluster_id.hpp"
#include "cluster/data_folder.hpp"
#include "cluster/router.hpp"
#include "simulations/rehearsal/conduct.hpp"
#include "simulations/world/clock.hpp"

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;

constexpr Duration ready_max = 30s;
constexpr Duration repeat_max = 30s;
constexpr std::uint64_t repeating_client = 3'000'000;
constexpr std::size_t newest_repeated = 40;
constexpr std::size_t others_repeated = 60;
// How far the new cluster's clocks are behind at most: what is told an id "from the future" waits.
constexpr std::uint64_t clock_behind_ms_max = 15'000;

const cluster::BackedUpFile* file_of(const cluster::BackupCatalogue& catalogue,
                                     const Operation& operation) {
  if (!operation.position) return nullptr;
  for (const auto& file : catalogue.files())
    if (file.service() == operation.service->name && file.shard() == operation.position->shard)
      return &file;
  return nullptr;
}

// Which has the buckets of its key: of a shard that was split off later, that of the one which was
// split.
const cluster::BackedUpFile* file_of_key(const cluster::BackupCatalogue& catalogue,
                                         const Operation& operation) {
  const auto bucket = cluster::bucket_of(operation.service->name, operation.key);
  for (const auto& file : catalogue.files())
    if (file.service() == operation.service->name && file.first_bucket() <= bucket &&
        bucket < file.end_bucket())
      return &file;
  return nullptr;
}

cluster::BucketRanges ranges_of(const cluster::BackupCatalogue& catalogue) {
  cluster::BucketRanges ranges;  // files are in the order of their shards
  for (const auto& file : catalogue.files()) ranges[file.service()].push_back(file.first_bucket());
  return ranges;
}

bool is_in(const cluster::BackupCatalogue& catalogue, const Operation& operation) {
  const auto* file = file_of(catalogue, operation);
  return file != nullptr && operation.position->index <= file->index();
}

// Since the world began.
Duration begun(const cluster::BackedUpFile& file) {
  return std::chrono::milliseconds{file.begun_ms()} - world_begin.time_since_epoch();
}

// What the new cluster is to have: what stands behind a shard's file did not happen there. A reply
// that was given again may say a later index than that of its effect.
History before_backup(const History& history, const cluster::BackupCatalogue& catalogue) {
  return history.edited([&](Operation& operation) {
    using End = Operation::Outcome;
    if (operation.outcome == End::refused) operation.outcome = End::harmless;
    if (operation.outcome != End::success || is_in(catalogue, operation)) return;
    operation.outcome = operation.replayed && !operation.read_only() ? End::unknown : End::harmless;
    operation.position.reset();
  });
}

}  // namespace

bool Conduct::everything_acknowledged_is_in(const cluster::BackupCatalogue& catalogue) {
  for (const auto& operation : history_.all()) {
    if (operation.outcome != Operation::Outcome::success || operation.read_only()) continue;
    const auto* own = file_of(catalogue, operation);
    const auto* file = own != nullptr ? own : file_of_key(catalogue, operation);
    if (file == nullptr) {
      fail("backup", operation.text() + " has a key whose bucket no file of the backup has");
      return false;
    }
    if (operation.replayed || is_in(catalogue, operation) ||
        operation.returned + 1ms >= begun(*file))
      continue;
    fail("backup", operation.text() + " stands at entry " +
                       std::to_string(operation.position->index) +
                       " and was acknowledged before the backup of its shard began, at " +
                       seconds_text(begun(*file)) + ", which holds entries up to " +
                       std::to_string(file->index()) + " only");
    return false;
  }
  return true;
}

bool Conduct::start_restored(const cluster::BackupCatalogue& catalogue, RandomStream& random) {
  RestoreFrom from;
  from.disk = &world_.outside().disk();
  from.folder = *backup_;
  from.cluster_id = cluster::make_restored_cluster_id(random.next(), catalogue.checksum());
  for (const auto& service : services_.all()) from.services.push_back(service.type->name);
  const bool behind = random.between(0, 2) == 0;
  const auto offset = random.between(0, clock_behind_ms_max);
  for (auto& host : hosts_) {
    auto& machine = host->machine();
    world_.lose_disk(machine);
    if (behind) machine.hardware.clock.wall_offset = -std::chrono::milliseconds{offset};
  }
  world_.checks().begin_another_cluster(place_voters(founding_, services_, ranges_of(catalogue)));
  for (auto& host : hosts_) {
    auto& machine = host->machine();
    host->restore(from);
    if (random.between(0, 2) == 0) {
      machine.hardware.disk_faults.power_cut_after = random.between(0, 60);
      if (const auto started = world_.start(machine); !started)
        note(machine.name(), "while it was restored: " + started.error().describe());
      if (machine.up()) world_.kill(machine);
      machine.hardware.disk_faults.power_cut_after.reset();
    }
    if (const auto started = world_.start(machine); !started) {
      fail("restore", machine.name() + " does not start: " + started.error().describe());
      return false;
    }
  }
  const auto all_ready = [&] {
    return !failures_.empty() ||
           std::ranges::all_of(hosts_, [](const auto& host) { return host->ready(); });
  };
  if (world_.run_until(all_ready, ready_max)) return failures_.empty();
  fail("restore", "the restored cluster is not ready after " + seconds_text(ready_max));
  return false;
}

// What was answered before the backup is answered the same.
void Conduct::repeat_commands(const cluster::BackupCatalogue& catalogue, RandomStream& random) {
  std::vector<const Operation*> commands;
  for (const auto& operation : restored_->all())
    if (operation.outcome == Operation::Outcome::success && !operation.read_only() &&
        !operation.header.empty() && is_in(catalogue, operation))
      commands.push_back(&operation);
  std::ranges::stable_sort(commands, std::greater{},
                           [](const Operation* one) { return one->position->index; });
  for (std::size_t i = newest_repeated;
       i < commands.size() && i < newest_repeated + others_repeated; ++i)
    std::swap(commands[i], commands[random.between(i, commands.size() - 1)]);
  commands.resize(std::min(commands.size(), newest_repeated + others_repeated));
  Client client{setting_, "repeating", repeating_client, true};
  for (const Operation* command : commands) {
    const auto repeat = [](Client& repeating, const Operation& what) -> Script {
      co_await repeating.repeat(what);
    };
    auto script = repeat(client, *command);
    if (!finish(script, repeat_max) && failures_.empty())
      fail("restore", command->text() + " is not answered when it is sent to the new cluster");
    if (!failures_.empty()) return;
  }
}

void Conduct::restore_backup() {
  if (!backup_) return fail("backup", "the operator has made none");
  const auto catalogue = cluster::read_catalogue(world_.outside().disk(), *backup_);
  if (!catalogue) return fail("backup", catalogue.error().describe());
  if (!everything_acknowledged_is_in(*catalogue)) return;
  note("clients", "---- a new cluster is made of the backup");
  restored_ = before_backup(history_, *catalogue);
  setting_.history = *restored_;
  RandomStream random{options_.seed, Domain::scenario, 0, 1'000'000};
  if (!start_restored(*catalogue, random)) return;
  over_ = false;
  repeat_commands(*catalogue, random);
  if (failures_.empty()) ask_every_entity();
  if (failures_.empty()) run_finals();
  if (failures_.empty()) catch_up();
  if (failures_.empty()) stop_and_inspect();
}

}  // namespace troupe::simulations
