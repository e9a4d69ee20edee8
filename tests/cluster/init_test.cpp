// Identity of data folders, and the one act that gives it to them.
#include "cluster/init.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "cluster/cluster_id.hpp"
#include "runtime/platform/os/os_disk.hpp"

namespace troupe::cluster {
namespace {

const std::string id = "2f1c0d3e-5a7b-4c8d-9e0f-123456789abc";

// A manifest of three nodes whose folders are in one that is gone at the end of the test.
struct Place {
  Place() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe-init-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path = pattern;
    manifest.cluster.name = "test";
    for (const std::string name : {"n1", "n2", "n3"}) {
      config::Node node;
      node.name = name;
      node.data = folder(name);
      manifest.nodes.push_back(node);
    }
  }
  ~Place() { std::filesystem::remove_all(path); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  std::string folder(const std::string& node) const { return path + "/" + node; }
  void write(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path{path + "/" + file}.parent_path());
    std::ofstream{path + "/" + file} << text;
  }
  bool exists(const std::string& file) const { return std::filesystem::exists(path + "/" + file); }
  auto open(const std::string& node, const std::string& cluster = "test") {
    return DataFolder::open(*disk, folder(node), cluster, node);
  }
  std::string reason_of_opening(const std::string& node, const std::string& cluster = "test") {
    const auto opened = open(node, cluster);
    return opened ? "" : opened.error().reason;
  }

  std::unique_ptr<runtime::Disk> disk = runtime::make_os_disk();
  std::string path;
  config::Manifest manifest;
};

}  // namespace

TEST_CASE("a cluster's id is in the folders of all its members, and their nodes open them") {
  Place place;
  REQUIRE(create_cluster(*place.disk, place.manifest, {"n1", "n2", "n3"}, id));
  for (const Member& member : members(*place.disk, place.manifest)) {
    REQUIRE(member.identity);
    CHECK(*member.identity == FolderIdentity{"test", id, member.node, Membership::founder});
    const auto opened = place.open(member.node);
    REQUIRE(opened);
    CHECK(opened->identity().cluster_id == id);
  }
}

TEST_CASE("a folder without an identity is not opened, and nothing is made in it") {
  Place place;
  CHECK(place.reason_of_opening("n1") == "FOLDER_EMPTY");
  CHECK_FALSE(place.exists("n1"));
  // What a new file system has.
  std::filesystem::create_directories(place.folder("n1") + "/lost+found");
  CHECK(place.reason_of_opening("n1") == "FOLDER_EMPTY");
  CHECK(create_cluster(*place.disk, place.manifest, {"n1"}, id));
  CHECK(place.reason_of_opening("n1").empty());
}

TEST_CASE("a folder says that it replaces one that was lost") {
  Place place;
  REQUIRE(create_cluster(*place.disk, place.manifest, {"n1"}, id, Membership::replacement));
  const auto opened = place.open("n1");
  REQUIRE(opened);
  CHECK(opened->identity().membership == Membership::replacement);
}

TEST_CASE("nothing replaces the folder of a node that has no others") {
  Place place;
  place.manifest.nodes.resize(1);
  const auto created =
      create_cluster(*place.disk, place.manifest, {"n1"}, id, Membership::replacement);
  REQUIRE_FALSE(created);
  CHECK(created.error().reason == "NOBODY_ELSE");
  CHECK_FALSE(place.exists("n1"));
}

TEST_CASE("a folder of another node or cluster is refused") {
  Place place;
  REQUIRE(create_cluster(*place.disk, place.manifest, {"n1", "n2"}, id));
  CHECK(place.reason_of_opening("n1", "other") == "FOLDER_FOREIGN");
  std::filesystem::rename(place.folder("n1"), place.folder("n3"));
  CHECK(place.reason_of_opening("n3") == "FOLDER_FOREIGN");
  CHECK(place.reason_of_opening("n2").empty());
}

TEST_CASE("a cluster is created in all of the folders or in none") {
  Place place;
  REQUIRE(create_cluster(*place.disk, place.manifest, {"n2"}, id));
  auto created = create_cluster(*place.disk, place.manifest, {"n1", "n2", "n3"},
                                "00000000-0000-4000-8000-000000000000");
  REQUIRE_FALSE(created);
  CHECK(created.error().reason == "FOLDER_TAKEN");
  CHECK(created.error().message.find("node n2's of the cluster test (" + id + ")") !=
        std::string::npos);
  CHECK_FALSE(place.exists("n1"));

  // Found only when the first folder is written: the third cannot be made.
  place.write("n3", "a file");
  created = create_cluster(*place.disk, place.manifest, {"n1", "n3"}, id);
  CHECK_FALSE(created);
  CHECK_FALSE(place.exists("n1/node.txt"));

  created = create_cluster(*place.disk, place.manifest, {"n4"}, id);
  CHECK(created.error().reason == "NODE_UNKNOWN");
}

TEST_CASE("data without an identity is neither opened nor overwritten") {
  Place place;
  place.write("n1/log/log-000001.db", "x");
  CHECK(place.reason_of_opening("n1") == "FOLDER_UNIDENTIFIED");
  CHECK(create_cluster(*place.disk, place.manifest, {"n1"}, id).error().reason ==
        "FOLDER_UNIDENTIFIED");
  for (const std::string text :
       {"", "cluster test\nnode n2\n", "cluster test\nid x\nnode n2\nmember founder\n",
        "cluster test\nid 2f1c0d3e-5a7b-4c8d-9e0f-123456789abc\nnode n2\nmember guest\n"}) {
    place.write("n2/node.txt", text);
    CHECK(place.reason_of_opening("n2") == "FOLDER_UNIDENTIFIED");
    CHECK(create_cluster(*place.disk, place.manifest, {"n2"}, id).error().reason ==
          "FOLDER_UNIDENTIFIED");
  }
}

TEST_CASE("a folder in use is not given away") {
  Place place;
  std::filesystem::create_directories(place.folder("n1"));
  const auto lock = place.disk->lock(place.folder("n1"));
  REQUIRE(lock);
  CHECK(create_cluster(*place.disk, place.manifest, {"n2", "n1"}, id).error().reason ==
        "FOLDER_IN_USE");
  CHECK_FALSE(place.exists("n2/node.txt"));
}

TEST_CASE("cluster ids are UUIDs of random numbers, read in upper case too") {
  CHECK(make_cluster_id(0, 0) == "00000000-0000-4000-8000-000000000000");
  CHECK(make_cluster_id(~0ull, ~0ull) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(make_cluster_id(0x0123456789abcdef, 0x0123456789abcdef) ==
        "01234567-89ab-4def-8123-456789abcdef");
  CHECK(*parse_cluster_id("2F1C0D3E-5A7B-4C8D-9E0F-123456789ABC") == id);
  for (const std::string wrong : {"", "2f1c0d3e", "2f1c0d3e-5a7b-4c8d-9e0f-123456789abg",
                                  "2f1c0d3e5a7b-4c8d-9e0f--123456789abc", "../../etc/passwd"})
    CHECK(parse_cluster_id(wrong).error().reason == "CLUSTER_ID_INVALID");
}

TEST_CASE("a folder keeps how many shards a service has and where, and refuses another manifest") {
  Place place;
  REQUIRE(create_cluster(*place.disk, place.manifest, {"n1"}, id));
  using Shards = std::map<std::string, DataFolder::Shards>;
  place.write("n1/log/log-000001.db", "");  // is opened before
  const auto reason = [&](const Shards& shards) {
    const auto kept = place.open("n1")->keep_shards(shards);
    return kept ? "" : kept.error().reason;
  };
  CHECK(reason({{"a.v1.A", {4, 11}}}) == "");
  CHECK(reason({{"a.v1.A", {4, 11}}, {"b.v1.B", {2, 7}}}) == "");
  CHECK(reason({{"a.v1.A", {5, 11}}}) == "SHARDS_CHANGED");
  CHECK(reason({{"b.v1.B", {2, 8}}}) == "PLACES_CHANGED");
  CHECK(reason({{"b.v1.B", {2, 7}}}) == "");
  place.write("n1/shards.txt", "a.v1.A 4\n");  // as it was before places were kept
  CHECK(reason({{"a.v1.A", {4, 12}}}) == "");
  CHECK(reason({{"a.v1.A", {4, 11}}}) == "PLACES_CHANGED");
}

TEST_CASE("a folder that was used and has lost its log is not begun anew, with or without files") {
  Place place;
  REQUIRE(create_cluster(*place.disk, place.manifest, {"n1", "n2"}, id));
  REQUIRE(place.open("n1")->keep_shards({{"a.v1.A", {4, 11}}}));
  place.write("n1/log/log.reserve", "");
  CHECK(place.reason_of_opening("n1") == "LOG_MISSING");
  place.write("n1/log/log-000001.db", "");
  CHECK(place.reason_of_opening("n1") == "");
  CHECK(place.reason_of_opening("n2") == "");
  place.write("n2/shards/a.v1.A-0.g1.db", "");
  CHECK(place.reason_of_opening("n2") == "LOG_MISSING");
}

}  // namespace troupe::cluster
