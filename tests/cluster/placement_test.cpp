// Where the manifest puts the replicas of shards.
#include "cluster/placement.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "cluster/hosted.hpp"

namespace troupe::cluster {
namespace {

config::Manifest manifest_with(int nodes, std::uint32_t shards, std::uint32_t factor) {
  config::Manifest manifest;
  for (int n = 1; n <= nodes; ++n) {
    config::Node node;
    node.name = "n" + std::to_string(n);
    manifest.nodes.push_back(node);
  }
  manifest.service_defaults.shards = shards;
  manifest.service_defaults.replication_factor = factor;
  return manifest;
}

// How often each node is counted, nodes that never are included.
template <class Count>
std::map<std::string, int> loads(const config::Manifest& manifest, const std::string& service,
                                 Count count) {
  std::map<std::string, int> loads;
  for (const auto& node : manifest.nodes) loads[node.name] = 0;
  for (const Replicas& replicas : place_shards(manifest, service)) count(replicas, loads);
  return loads;
}

int spread(const std::map<std::string, int>& loads) {
  const auto [low, high] =
      std::ranges::minmax_element(loads, {}, [](const auto& load) { return load.second; });
  return high->second - low->second;
}

void count_all(const Replicas& replicas, std::map<std::string, int>& loads) {
  for (const RaftVoter& replica : replicas) ++loads[replica.node];
}

void count_first(const Replicas& replicas, std::map<std::string, int>& loads) {
  ++loads[replicas.front().node];
}

bool same(const std::vector<Replicas>& a, const std::vector<Replicas>& b) {
  return std::ranges::equal(a, b, [](const Replicas& one, const Replicas& other) {
    return std::ranges::equal(one, other, [](const RaftVoter& x, const RaftVoter& y) {
      return x.replica == y.replica && x.node == y.node;
    });
  });
}

}  // namespace

TEST_CASE("replicas and the first of each shard are spread evenly over the nodes") {
  for (const int nodes : {1, 2, 3, 4, 5, 7, 12})
    for (const std::uint32_t factor : {1u, 3u, 5u})
      for (const std::uint32_t shards : {1u, 4u, 12u, 64u}) {
        const auto manifest = manifest_with(nodes, shards, factor);
        CAPTURE(nodes);
        CAPTURE(factor);
        CAPTURE(shards);
        const auto placed = place_shards(manifest, "a.v1.B");
        REQUIRE(placed.size() == shards);
        for (const Replicas& replicas : placed) {
          CHECK(replicas.size() == std::min<std::size_t>(factor, static_cast<std::size_t>(nodes)));
          std::set<std::string> different;
          for (const RaftVoter& replica : replicas) different.insert(replica.node);
          CHECK(different.size() == replicas.size());
        }
        CHECK(spread(loads(manifest, "a.v1.B", count_all)) <= 1);
        CHECK(spread(loads(manifest, "a.v1.B", count_first)) <= (nodes <= 5 ? 1 : 2));
      }
}

TEST_CASE("other services and the order of the file move nothing") {
  auto manifest = manifest_with(5, 16, 3);
  const auto before = place_shards(manifest, "a.v1.B");
  manifest.services["a.v1.C"].shards = 64;
  manifest.services["a.v1.A"].replication_factor = 5;
  std::ranges::reverse(manifest.nodes);
  CHECK(same(place_shards(manifest, "a.v1.B"), before));
  CHECK_FALSE(same(place_shards(manifest, "a.v1.D"), before));
}

TEST_CASE("services begin at different nodes") {
  const auto manifest = manifest_with(3, 1, 1);
  std::map<std::string, int> first;
  for (int i = 0; i < 60; ++i)
    ++first[place_shards(manifest, "a.v1.S" + std::to_string(i)).front().front().node];
  for (const auto& node : manifest.nodes) CHECK(first[node.name] >= 10);
}

TEST_CASE("replicas of a shard are in different zones as far as there are zones") {
  auto manifest = manifest_with(6, 24, 3);
  const auto zones_of = [&](const Replicas& replicas) {
    std::set<std::string> zones;
    for (const RaftVoter& replica : replicas)
      zones.insert(manifest.find_node(replica.node)->labels.at("zone"));
    return zones.size();
  };
  // Zones next to each other in the file, so that a plain round would put two copies into one.
  for (std::size_t i = 0; i < 6; ++i)
    manifest.nodes[i].labels["zone"] = std::string(1, static_cast<char>('a' + i / 2));
  for (const Replicas& replicas : place_shards(manifest, "a.v1.B")) CHECK(zones_of(replicas) == 3);
  CHECK(spread(loads(manifest, "a.v1.B", count_all)) <= 1);

  for (std::size_t i = 0; i < 6; ++i) manifest.nodes[i].labels["zone"] = i < 5 ? "a" : "b";
  for (const Replicas& replicas : place_shards(manifest, "a.v1.B")) CHECK(zones_of(replicas) == 2);

  // The same zone of two regions is two zones.
  for (std::size_t i = 0; i < 6; ++i) {
    manifest.nodes[i].labels["zone"] = "a";
    manifest.nodes[i].labels["region"] = std::string(1, static_cast<char>('x' + i % 3));
  }
  for (const Replicas& replicas : place_shards(manifest, "a.v1.B")) {
    std::set<std::string> regions;
    for (const RaftVoter& replica : replicas)
      regions.insert(manifest.find_node(replica.node)->labels.at("region"));
    CHECK(regions.size() == 3);
  }
}

TEST_CASE("only nodes that host the service get its replicas") {
  auto manifest = manifest_with(4, 8, 3);
  manifest.nodes[1].services = {{"a.v1.C"}};
  manifest.nodes[2].roles = {config::Role::control};
  for (const Replicas& replicas : place_shards(manifest, "a.v1.B")) {
    CHECK(replicas.size() == 2);
    for (const RaftVoter& replica : replicas) CHECK((replica.node == "n1" || replica.node == "n4"));
  }
  manifest.nodes[0].services = manifest.nodes[3].services = {{"a.v1.C"}};
  for (const Replicas& replicas : place_shards(manifest, "a.v1.B")) CHECK(replicas.empty());
}

TEST_CASE("Raft ids are different within a group, never 0, and the same at every asking") {
  const auto manifest = manifest_with(5, 64, 5);
  std::set<std::uint64_t> all;
  for (const Replicas& replicas : place_shards(manifest, "a.v1.B"))
    for (const RaftVoter& replica : replicas) {
      CHECK(replica.replica != 0);
      all.insert(replica.replica);
    }
  CHECK(all.size() == 64 * 5);
  CHECK(same(place_shards(manifest, "a.v1.B"), place_shards(manifest, "a.v1.B")));
}

TEST_CASE("on one node every shard has one replica, that node's") {
  const auto manifest = manifest_with(1, 4, 0);
  const auto placed = place_shards(manifest, "a.v1.B");
  REQUIRE(placed.size() == 4);
  for (const Replicas& replicas : placed) {
    REQUIRE(replicas.size() == 1);
    CHECK(replicas.front().node == "n1");
  }
}

TEST_CASE("places have a checksum of their nodes, whichever should lead") {
  const std::vector<Replicas> places{{{1, "a"}, {2, "b"}}, {{3, "b"}, {4, "c"}}};
  CHECK(checksum_of(places) == checksum_of({{{2, "b"}, {1, "a"}}, {{3, "b"}, {4, "c"}}}));
  CHECK(checksum_of(places) != checksum_of({{{1, "a"}, {2, "b"}}, {{3, "b"}, {4, "d"}}}));
  CHECK(checksum_of(places) != checksum_of({{{3, "b"}, {4, "c"}}, {{1, "a"}, {2, "b"}}}));
  CHECK(checksum_of(places) != checksum_of({{{1, "a"}}, {{2, "b"}, {3, "b"}, {4, "c"}}}));
}

}  // namespace troupe::cluster
