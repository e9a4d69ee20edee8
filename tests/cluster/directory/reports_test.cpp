// What whoever keeps the directory concludes from what leaders tell.
#include "cluster/directory/reports.hpp"

#include <doctest/doctest.h>

namespace troupe::cluster {
namespace {

constexpr const char* orders = "shop.v1.Orders";

// One shard whose wish changed in this version of the table.
DirectoryTable table_of(std::uint64_t version, const std::vector<std::string>& nodes) {
  DirectoryTable table;
  table.set_version(version);
  for (const std::string name : {"n1", "n2", "n3", "n4"}) {
    DirectoryNode node;
    node.set_name(name);
    node.set_state(DirectoryNode::UP);
    put(table, node);
  }
  DirectoryShard shard;
  shard.set_service(orders);
  for (const std::string& node : nodes) shard.add_nodes(node);
  shard.set_version(version);
  put(table, shard);
  return table;
}

// The leader, n1, knows this version and has these voters.
DirectoryCall call_of(std::uint64_t version, std::uint64_t configuration,
                      const std::vector<std::string>& voters) {
  DirectoryCall call;
  call.set_version(version);
  ShardReport& report = *call.add_shards();
  report.set_service(orders);
  report.set_term(3);
  report.set_configuration_index(configuration);
  for (const std::string& node : voters) {
    auto& member = *report.add_members();
    member.set_node(node);
    member.set_voter(true);
  }
  return call;
}

LeftOnNode left_on(const Reports& reports, const DirectoryTable& table, const std::string& node) {
  return left_on_node(reports.input(table, {}, {}), node);
}

}  // namespace

TEST_CASE("a report from before a wish does not say that a node has nothing left") {
  Reports reports;
  // A lost replica of n3 was removed; then n3 was to be drained, and its place went to n4.
  reports.take("n1", call_of(6, 20, {"n1", "n2"}), {});
  const auto wish = table_of(7, {"n1", "n2", "n4"});
  CHECK(left_on(reports, wish, "n3").unknown == 1);
  // By the wish before the leader had taken in n3 again.
  reports.take("n1", call_of(7, 21, {"n1", "n2", "n3"}), {});
  CHECK(left_on(reports, wish, "n3").members == 1);
  CHECK(left_on(reports, wish, "n3").unknown == 0);
  reports.take("n1", call_of(7, 23, {"n1", "n2", "n4"}), {});
  CHECK(left_on(reports, wish, "n3").nothing());
}

TEST_CASE("what an older leader says of a shard does not count, whatever table it knows") {
  Reports reports;
  const auto wish = table_of(7, {"n1", "n2", "n4"});
  reports.take("n1", call_of(7, 23, {"n1", "n2", "n3"}), {});
  reports.take("n2", call_of(9, 22, {"n1", "n2", "n4"}), {});
  CHECK(left_on(reports, wish, "n3").members == 1);
}

}  // namespace troupe::cluster
