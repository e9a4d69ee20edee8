// A backup as it is made from what nodes answer, and the cluster that is made of it.
#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "cluster/backup/backup_run.hpp"
#include "cluster/cluster_id.hpp"
#include "cluster/init.hpp"
#include "cluster/restore.hpp"
#include "cluster/restored.hpp"
#include "cluster/router.hpp"
#include "runtime/platform/os/os_disk.hpp"
#include "runtime/platform/os/os_random.hpp"
#include "runtime/storage/shard_file.hpp"
#include "tests/runtime/storage/batch_maker.hpp"

namespace troupe::cluster {
namespace {

using Piece = BackupAnswer::Piece;
constexpr const char* books = "shelf.v1.Books";

// Two shards on nodes n1 to n3, whose answers a test may spoil; and folders for everything.
struct OldCluster {
  OldCluster() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "troupe-backup-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    survey.set_cluster("old");
    survey.set_cluster_id("2f1c0d3e-5a7b-4c8d-9e0f-123456789abc");
    auto& service = *survey.add_services();
    service.set_service(books);
    for (std::uint32_t shard = 0; shard < 2; ++shard) {
      make_file(shard);
      auto& one = *service.add_shards();
      one.set_shard(shard);
      one.set_first_bucket(first_bucket_of(shard, 2));
      for (const char* node : {"n1", "n2", "n3"}) one.add_nodes(node);
    }
    manifest.cluster.name = "new";
    manifest.services[books].shards = 2;
    for (const std::string name : {"n1", "n2", "n3"}) {
      config::Node node;
      node.name = name;
      node.roles = {config::Role::control, config::Role::worker};
      node.data = path + "/" + name;
      manifest.nodes.push_back(node);
    }
  }
  ~OldCluster() { std::filesystem::remove_all(path); }
  OldCluster(const OldCluster&) = delete;
  OldCluster& operator=(const OldCluster&) = delete;

  std::string source(std::uint32_t shard) const { return path + "/old-" + std::to_string(shard); }
  std::string copy(std::uint32_t shard) const { return source(shard) + ".backup"; }
  std::string folder() const { return path + "/backup"; }

  Result<BackupAnswer> answer(const BackupRequest& request) {
    asked.push_back(request);
    if (spoil) {
      if (auto spoiled = spoil(request)) return *std::move(spoiled);
    }
    BackupAnswer answer;
    if (request.has_mark()) {
      if (request.node() != "n2") return unavailable("NOT_LEADING", "node n2 leads");
      answer.mutable_mark()->set_index(5);
      answer.mutable_mark()->set_leader("n2");
      for (const char* node : {"n1", "n2", "n3"}) answer.mutable_mark()->add_voters(node);
    } else if (request.has_copy()) {
      answer.set_copy(7);
    } else {
      Piece& piece = *answer.mutable_piece();
      piece.set_state(Piece::READY);
      const std::string from = copy(request.piece().shard());
      const auto bytes = *disk->read(from);
      const auto holds = *runtime::ShardFile::inspect(
          *disk, from, std::string{books} + "/" + std::to_string(request.piece().shard()));
      auto& file = *piece.mutable_file();
      file.set_index(holds.applied.index);
      file.set_term(holds.applied.term);
      file.set_time_ms(holds.applied.time_ms);
      file.set_chain(holds.applied.chain);
      file.set_entities(holds.entities);
      file.set_bytes(bytes.size());
      piece.set_offset(request.piece().offset());
      piece.set_bytes(bytes.substr(request.piece().offset(), 10'000));
    }
    return answer;
  }

  // Five entries of the shard.
  void make_file(std::uint32_t shard) {
    const std::string identity = std::string{books} + "/" + std::to_string(shard);
    auto file = runtime::ShardFile::open(*disk, source(shard), identity, true, {});
    REQUIRE(file);
    for (std::uint64_t i = 1; i <= 5; ++i)
      REQUIRE((*file)->apply({{i, 2,
                               tests::BatchMaker{static_cast<std::int64_t>(1000 + i)}
                                   .state("book" + std::to_string(i), 1)
                                   .reply("book" + std::to_string(i), "key", 9000)
                                   .bytes()}}));
    REQUIRE((*file)->copy_to(copy(shard)));
  }

  // The shard was split, or is being split.
  void split(std::uint32_t shard, std::uint32_t first, std::uint32_t end, bool under_way) {
    wire::ShardRange range;
    range.set_first(first);
    range.set_end(end);
    if (under_way) range.mutable_split()->set_shard(2);
    const std::string identity = std::string{books} + "/" + std::to_string(shard);
    auto file = runtime::ShardFile::open(*disk, source(shard), identity, false, {});
    REQUIRE(file);
    REQUIRE((*file)->apply({{(*file)->applied().index + 1, 2,
                             tests::BatchMaker{2000}
                                 .put(0, "", wire::Row::RANGE, "", range.SerializeAsString())
                                 .bytes()}}));
    REQUIRE((*file)->copy_to(copy(shard)));
  }

  // Until its end. The reason of its failure; empty: none.
  std::string back_up(std::size_t steps_max = 10'000) {
    BackupRun run{*disk, folder(), [this] { return now_ms; }};
    if (const auto begun = run.begin(survey); !begun) return begun.error().reason;
    for (std::size_t i = 0; i < steps_max; ++i) {
      const auto request = run.next();
      if (!request) break;
      now_ms += std::chrono::duration_cast<std::chrono::milliseconds>(run.pause()).count();
      if (const auto heard = run.heard(answer(*request)); !heard) return heard.error().reason;
    }
    return run.done() ? "" : "unfinished";
  }

  Result<RestoreDone> restore_it(const std::string& id = "",
                                 std::vector<std::string> nodes = {"n1", "n2", "n3"}) {
    RestoreSpec spec;
    spec.from = spec.disk = disk.get();
    spec.folder = folder();
    spec.manifest = &manifest;
    spec.services = {books, "shelf.v1.Lends"};
    spec.nodes = std::move(nodes);
    spec.cluster_id = id;
    spec.random = &random;
    return restore(spec);
  }
  std::string reason_of_restoring(const std::string& id = "") {
    const auto done = restore_it(id);
    return done ? "" : done.error().reason;
  }
  void flip(const std::string& file, std::streamoff at) const {
    std::fstream stream{path + "/" + file, std::ios::in | std::ios::out | std::ios::binary};
    stream.seekg(at);
    const int byte = stream.get();
    stream.seekp(at);
    stream.put(static_cast<char>(byte ^ 1));
  }
  bool exists(const std::string& file) const { return std::filesystem::exists(path + "/" + file); }

  std::unique_ptr<runtime::Disk> disk = runtime::make_os_disk();
  runtime::OsRandom random;
  std::string path;
  BackupSurvey survey;
  config::Manifest manifest;
  std::int64_t now_ms = 1'000'000;
  std::vector<BackupRequest> asked;
  std::function<std::optional<Result<BackupAnswer>>(const BackupRequest&)> spoil;
};

Result<BackupAnswer> piece_of(Piece::State state) {
  BackupAnswer answer;
  answer.mutable_piece()->set_state(state);
  return answer;
}

}  // namespace

TEST_CASE("a backup copies followers, and its catalogue comes last") {
  OldCluster old;
  CHECK(old.back_up(8) == "unfinished");
  CHECK(read_catalogue(*old.disk, old.folder()).error().reason == "BACKUP_UNFINISHED");
  CHECK(old.reason_of_restoring() == "BACKUP_UNFINISHED");
  CHECK(old.back_up() == "BACKUP_FOLDER_TAKEN");
  std::filesystem::remove_all(old.folder());
  CHECK(read_catalogue(*old.disk, old.folder()).error().reason == "BACKUP_MISSING");

  old.asked.clear();
  REQUIRE(old.back_up().empty());
  CHECK(old.back_up() == "BACKUP_FOLDER_TAKEN");
  CHECK_FALSE(old.exists("backup/UNFINISHED.txt"));
  const auto catalogue = read_catalogue(*old.disk, old.folder());
  REQUIRE(catalogue);
  REQUIRE(catalogue->files_size() == 2);
  CHECK(catalogue->files(1).name() == "shelf.v1.Books-1.db");
  CHECK(catalogue->files(1).first_bucket() == 2048);
  CHECK(catalogue->files(1).node() == "n1");  // n2 leads
  CHECK(catalogue->files(1).index() == 5);
  CHECK(catalogue->files(1).marked() == 5);
  CHECK(old.asked.front().node() == "n1");
  CHECK(old.asked[1].node() == "n2");
}

TEST_CASE("a backup goes on with another node when one lags, loses its copy, or is gone") {
  OldCluster old;
  unsigned waits = 0, gone = 0;
  old.spoil = [&](const BackupRequest& request) -> std::optional<Result<BackupAnswer>> {
    if (request.has_piece() && request.piece().drop()) return piece_of(Piece::READY);
    if (request.has_piece() && request.node() == "n1") {
      ++waits;
      return piece_of(Piece::WAITS);
    }
    if (request.has_piece() && request.node() == "n3" && ++gone % 3 == 0)
      return piece_of(Piece::GONE);
    if (request.has_copy() && request.node() == "n3" && gone > 3)
      return Result<BackupAnswer>{unavailable("LINK_DOWN", "n3 is gone")};
    return std::nullopt;
  };
  CHECK(old.back_up().empty());
  CHECK(waits > 10);
  const auto catalogue = read_catalogue(*old.disk, old.folder());
  REQUIRE(catalogue);
  CHECK(catalogue->files(0).node() == "n3");
  CHECK(catalogue->files(1).node() == "n2");  // the leader, when nobody else could
}

TEST_CASE("a backup ends by itself when a shard cannot be reached, or what comes is rotten") {
  {
    OldCluster old;
    old.spoil = [&](const BackupRequest& request) -> std::optional<Result<BackupAnswer>> {
      if (request.has_mark() && request.mark().shard() == 1)
        return Result<BackupAnswer>{unavailable("NOT_LEADING", "nobody leads")};
      return std::nullopt;
    };
    const auto begun = old.now_ms;
    CHECK(old.back_up() == "BACKUP_STUCK");
    CHECK(old.now_ms - begun >= 60'000);
    CHECK(old.now_ms - begun < 70'000);
  }
  OldCluster old;
  old.flip("old-1.backup", 4096 + 2000);
  old.spoil = [&](const BackupRequest& request) -> std::optional<Result<BackupAnswer>> {
    if (!request.has_piece() || request.piece().shard() == 0) return std::nullopt;
    BackupAnswer answer;
    answer.mutable_piece()->set_state(Piece::READY);
    const auto bytes = *old.disk->read(old.copy(1));
    answer.mutable_piece()->mutable_file()->set_bytes(bytes.size());
    answer.mutable_piece()->mutable_file()->set_index(5);
    answer.mutable_piece()->set_bytes(bytes);
    return Result<BackupAnswer>{answer};
  };
  const auto reason = old.back_up();
  CHECK((reason == "BACKUP_CORRUPT" || reason == "SHARD_FILE_CORRUPT"));
  CHECK(old.reason_of_restoring() == "BACKUP_UNFINISHED");
}

TEST_CASE("a backup knows shards that were split, and none of which a part may be missing") {
  OldCluster old;
  old.split(1, 2048, 3000, false);  // the survey knows of no third shard
  CHECK(old.back_up() == "BACKUP_SHARD_SPLIT");
  std::filesystem::remove_all(old.folder());
  old.split(1, 2048, 4096, true);
  CHECK(old.back_up() == "BACKUP_SHARD_SPLIT");
  std::filesystem::remove_all(old.folder());
  old.split(1, 2048, 4096, false);
  REQUIRE(old.back_up().empty());
  CHECK_FALSE(read_catalogue(*old.disk, old.folder())->files(0).split());
  CHECK(read_catalogue(*old.disk, old.folder())->files(1).split());
}

TEST_CASE("a service that was split is restored with the ranges of buckets that its shards had") {
  OldCluster old;
  old.split(1, 2048, 3000, false);
  old.make_file(2);
  auto& fresh = *old.survey.mutable_services(0)->add_shards();
  fresh = old.survey.services(0).shards(1);
  fresh.set_shard(2);
  fresh.set_first_bucket(3000);
  old.split(2, 3000, 4096, false);
  REQUIRE(old.back_up().empty());
  // With so many it cannot have begun.
  for (const std::uint32_t wrong : {3u, 4u}) {
    old.manifest.services[books].shards = wrong;
    const Error refused = old.restore_it().error();
    CHECK(refused.reason == "RESTORE_SHARDS_DIFFER");
    CHECK(refused.message.find("write shards = 2 ") != std::string::npos);
  }
  old.manifest.services[books].shards = 2;
  CHECK(old.reason_of_restoring().empty());
  const auto restored = read_restored(*old.disk, old.path + "/n3");
  REQUIRE((restored && *restored));
  CHECK((*restored)->ranges == BucketRanges{{books, {0, 2048, 3000}}});
  CHECK((*restored)->shards.size() == 3);
  CHECK(old.exists("n1/shards/shelf.v1.Books-2.g1.db"));
}

TEST_CASE("a cluster is made of a backup: an id of its own, the files where they begin") {
  OldCluster old;
  REQUIRE(old.back_up().empty());
  const auto done = old.restore_it();
  REQUIRE_MESSAGE(done, (done ? "" : done.error().describe()));
  CHECK(done->from == "old");
  CHECK(done->files == 6);
  CHECK(done->empty == std::vector<std::string>{"shelf.v1.Lends"});
  const auto catalogue = read_catalogue(*old.disk, old.folder());
  CHECK(is_restored_from(done->cluster_id, catalogue->checksum()));
  CHECK(parse_cluster_id(done->cluster_id));
  for (const Member& member : members(*old.disk, old.manifest)) {
    REQUIRE((member.identity && *member.identity));
    CHECK((*member.identity)->cluster == "new");
    CHECK((*member.identity)->cluster_id == done->cluster_id);
    CHECK((*member.identity)->membership == Membership::founder);
  }
  const auto opened = DataFolder::open(*old.disk, old.path + "/n2", "new", "n2");
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().describe()));
  REQUIRE(opened->restored());
  CHECK(opened->restored()->shards.at("shelf.v1.Books/1") == Restored::Shard{5, 2});
  const auto file = runtime::ShardFile::open(
      *old.disk, old.path + "/n2/shards/shelf.v1.Books-1.g1.db", "shelf.v1.Books/1", false, {});
  REQUIRE(file);
  CHECK((*file)->applied().time_ms == 1005);
  CHECK((*file)->reply(1, "book3", "key")->has_value());
  CHECK(old.reason_of_restoring() == "FOLDER_TAKEN");
  // Nobody begins with nothing in it.
  CHECK(create_cluster(*old.disk, old.manifest, {"n1"}, done->cluster_id).error().reason ==
        "RESTORED_CLUSTER");
}

TEST_CASE("on several machines a cluster is made of one backup, under one id") {
  OldCluster old;
  REQUIRE(old.back_up().empty());
  const auto first = old.restore_it("", {"n1"});
  REQUIRE(first);
  CHECK(old.restore_it("2f1c0d3e-5a7b-4c8d-9e0f-123456789abc", {"n2"}).error().reason ==
        "RESTORE_ID_FOREIGN");
  CHECK(old.restore_it(make_restored_cluster_id(7, 7), {"n2"}).error().reason ==
        "RESTORE_ID_FOREIGN");
  const auto second = old.restore_it(first->cluster_id, {"n2", "n3"});
  REQUIRE(second);
  CHECK(second->cluster_id == first->cluster_id);
}

TEST_CASE("nothing is written when a backup does not fit or is rotten") {
  OldCluster old;
  REQUIRE(old.back_up().empty());
  const auto refused = [&](const std::string& reason) {
    CHECK(old.reason_of_restoring() == reason);
    for (const char* node : {"n1", "n2", "n3"}) CHECK_FALSE(old.exists(node));
  };
  old.manifest.services[books].shards = 4;
  refused("RESTORE_SHARDS_DIFFER");
  old.manifest.services[books].shards = 2;
  for (auto& node : old.manifest.nodes) node.roles = {config::Role::control};
  refused("RESTORE_SERVICE_MISSING");
  for (auto& node : old.manifest.nodes) node.roles = {config::Role::worker};
  old.flip("backup/shelf.v1.Books-1.db", 5000);
  refused("BACKUP_CORRUPT");
  old.flip("backup/shelf.v1.Books-1.db", 5000);
  old.flip("backup/catalogue.json", 30);
  refused("BACKUP_CORRUPT");
  old.flip("backup/catalogue.json", 30);
  std::filesystem::rename(old.folder() + "/shelf.v1.Books-0.db", old.path + "/elsewhere");
  refused("BACKUP_CORRUPT");
  std::filesystem::rename(old.path + "/elsewhere", old.folder() + "/shelf.v1.Books-0.db");
  std::filesystem::create_directories(old.path + "/n3/log");
  std::ofstream{old.path + "/n3/log/log-000001.db"} << "data";
  CHECK(old.reason_of_restoring() == "FOLDER_UNIDENTIFIED");
  CHECK_FALSE(old.exists("n1"));
}

TEST_CASE("a restore that was interrupted is known, and run again") {
  OldCluster old;
  REQUIRE(old.back_up().empty());
  const auto whole = old.restore_it();
  REQUIRE(whole);
  // As a crash leaves it: n1 is done, of n2 the name is missing, of n3 a file as well.
  std::filesystem::remove(old.path + "/n2/node.txt");
  std::filesystem::remove(old.path + "/n3/node.txt");
  std::filesystem::remove(old.path + "/n3/shards/shelf.v1.Books-0.g1.db");
  CHECK(DataFolder::open(*old.disk, old.path + "/n2", "new", "n2").error().reason ==
        "RESTORE_UNFINISHED");
  CHECK(create_cluster(*old.disk, old.manifest, {"n2"}, whole->cluster_id, Membership::replacement)
            .error()
            .reason == "RESTORE_UNFINISHED");
  const auto again = old.restore_it();
  REQUIRE_MESSAGE(again, (again ? "" : again.error().describe()));
  CHECK(again->cluster_id == whole->cluster_id);
  CHECK(again->files == 4);
  CHECK(DataFolder::open(*old.disk, old.path + "/n3", "new", "n3"));
  // What another backup left is not touched.
  std::filesystem::remove(old.path + "/n3/node.txt");
  std::filesystem::remove_all(old.folder());
  old.now_ms += 1000;
  REQUIRE(old.back_up().empty());
  CHECK(old.reason_of_restoring() == "RESTORE_UNFINISHED");
}

}  // namespace troupe::cluster
