// What may become of the directory's table.
#include <doctest/doctest.h>

#include "actors/testing/entity_harness.hpp"
#include "cluster/directory/audit.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/directory/table.hpp"

namespace troupe::cluster {
namespace {

namespace v1 = directory::v1;

constexpr const char* service = "shelf.v1.Books";

DirectoryNode node_named(const std::string& name) {
  DirectoryNode node;
  node.set_name(name);
  node.set_mesh(name + ":7400");
  node.add_services(service);
  node.set_state(DirectoryNode::JOINING);
  return node;
}

// Nodes n1 to n3, of which n1 is a control node, and two shards on all of them.
struct Table {
  Table() {
    v1::FoundRequest request;
    DirectoryTable& table = *request.mutable_table();
    table.set_cluster_id("id");
    for (const std::string name : {"n1", "n2", "n3"}) put(table, node_named(name));
    table.mutable_nodes(0)->set_control(true);
    DirectoryService& one = *table.add_services();
    one.set_service(service);
    one.set_factor(3);
    one.add_first_bucket(0);
    one.add_first_bucket(2048);
    for (std::uint32_t shard = 0; shard < 2; ++shard) {
      DirectoryShard& where = *table.add_shards();
      where.set_service(service);
      where.set_shard(shard);
      for (const std::string name : {"n1", "n2", "n3"}) where.add_nodes(name);
    }
    founding = request;
    REQUIRE(harness.call(ref.Found(request)));
  }
  DirectoryTable read(std::uint64_t since = 0) {
    v1::ReadRequest request;
    request.set_since(since);
    auto table = harness.call(ref.Read(request));
    REQUIRE(table);
    return *table;
  }
  std::string places(std::uint64_t based_on, const std::vector<std::string>& nodes,
                     const std::string& avoid = {}) {
    v1::SetPlacesRequest request;
    request.set_service(service);
    request.set_shard(1);
    request.set_based_on(based_on);
    request.set_avoid(avoid);
    for (const std::string& node : nodes) request.add_nodes(node);
    return reason(harness.call(ref.SetPlaces(request)));
  }
  std::string admit(const std::string& name, const std::string& mesh) {
    v1::AdmitRequest request;
    *request.mutable_node() = node_named(name);
    request.mutable_node()->set_mesh(mesh);
    return reason(harness.call(ref.Admit(request)));
  }
  std::string set_state(const std::string& name, DirectoryNode::State state) {
    v1::SetNodeRequest request;
    request.set_node(name);
    request.set_state(state);
    return reason(harness.call(ref.SetNode(request)));
  }
  std::string split(std::uint32_t shard, std::uint32_t at = 0) {
    v1::SplitRequest request;
    request.set_service(service);
    request.set_shard(shard);
    request.set_at_bucket(at);
    return reason(harness.call(ref.Split(request)));
  }
  std::string end_split(std::uint32_t shard, std::uint32_t fresh, std::uint32_t at = 3072) {
    v1::EndSplitRequest request;
    request.set_service(service);
    request.set_shard(shard);
    request.set_new_shard(fresh);
    request.set_at_bucket(at);
    for (const std::string node : {"n2", "n1", "n3"}) request.add_nodes(node);
    return reason(harness.call(ref.EndSplit(request)));
  }
  static std::string reason(const Result<v1::Changed>& changed) {
    return changed ? "" : changed.error().reason;
  }

  v1::FoundRequest founding;
  v1::DirectoryRef ref{std::string{directory_key}};
  troupe::testing::EntityHarness harness{directory_service(), std::string{directory_key}};
};

TEST_CASE("a directory is filled once; later only services that are new are added") {
  Table one;
  CHECK(one.read().version() == 1);
  REQUIRE(one.harness.call(one.ref.Found(one.founding)));
  CHECK(one.read().version() == 1);

  DirectoryService& added = *one.founding.mutable_table()->add_services();
  added.set_service("shelf.v1.Lends");
  DirectoryShard& where = *one.founding.mutable_table()->add_shards();
  where.set_service("shelf.v1.Lends");
  where.add_nodes("n2");
  REQUIRE(one.harness.call(one.ref.Found(one.founding)));
  CHECK(one.read().version() == 1);  // n2 has a binary without it

  v1::WelcomeRequest welcome;
  *welcome.mutable_node() = node_named("n2");
  welcome.mutable_node()->add_services("shelf.v1.Lends");
  REQUIRE(one.harness.call(one.ref.Welcome(welcome)));
  REQUIRE(one.harness.call(one.ref.Found(one.founding)));
  CHECK(one.read().version() == 3);
  CHECK(find_shard(one.read(), "shelf.v1.Lends", 0)->founding());

  one.founding.mutable_table()->set_cluster_id("another");
  CHECK(Table::reason(one.harness.call(one.ref.Found(one.founding))) == "DIRECTORY_FOREIGN");
}

TEST_CASE("what changed since a version is those entries, and makes a copy of the table whole") {
  Table one;
  DirectoryTable copy = one.read();
  CHECK(one.places(1, {"n2", "n1"}).empty());
  CHECK(one.set_state("n3", DirectoryNode::DOWN).empty());
  const DirectoryTable newer = one.read(1);
  CHECK(newer.nodes_size() == 1);
  CHECK(newer.shards_size() == 1);
  CHECK(merge(copy, newer));
  CHECK_FALSE(merge(copy, newer));
  CHECK(copy.SerializeAsString() == one.read().SerializeAsString());
  one.harness.reload();
  CHECK(copy.SerializeAsString() == one.read().SerializeAsString());
}

TEST_CASE("places are of nodes that host the service, and based on what they were") {
  Table one;
  CHECK(one.places(1, {}) == "PLACES_UNSUITABLE");
  CHECK(one.places(1, {"n1", "n1"}) == "PLACES_UNSUITABLE");
  CHECK(one.places(1, {"n1", "n9"}) == "PLACES_UNSUITABLE");
  CHECK(one.places(1, {"n2", "n3", "n1"}).empty());
  CHECK_FALSE(find_shard(one.read(), service, 1)->founding());  // in another order
  CHECK(find_shard(one.read(), service, 0)->founding());
  CHECK(one.places(1, {"n1"}) == "DIRECTORY_CHANGED");
  CHECK(one.places(2, {"n1", "n2"}, "n3").empty());
  const DirectoryShard moved = *find_shard(one.read(), service, 1);
  REQUIRE(moved.avoided_size() == 1);
  CHECK(moved.avoided(0).node() == "n3");
  CHECK(one.places(3, {"n1", "n3"}).empty());
  CHECK(find_shard(one.read(), service, 1)->avoided_size() == 0);
}

TEST_CASE("a node is admitted under a name and an address of its own, and may come back as new") {
  Table one;
  CHECK(one.admit("n4", "n4:7400").empty());
  CHECK(one.admit("n4", "n4:7400").empty());
  CHECK(one.read().version() == 2);
  CHECK(one.admit("n4", "elsewhere:7400") == "NODE_NAME_TAKEN");
  CHECK(one.admit("n5", "n1:7400") == "NODE_NAME_TAKEN");
  CHECK(one.set_state("n4", DirectoryNode::DOWN).empty());
  CHECK(one.set_state("n4", DirectoryNode::REMOVED).empty());
  CHECK(one.set_state("n4", DirectoryNode::UP) == "DIRECTORY_NODE_UNKNOWN");
  CHECK(one.admit("n4", "elsewhere:7400").empty());
}

TEST_CASE("a node that says the same as another process of it changes nothing for anybody") {
  Table one;
  v1::WelcomeRequest request;
  *request.mutable_node() = node_named("n2");
  const auto welcome = [&](std::uint64_t incarnation) {
    request.mutable_node()->set_incarnation(incarnation);
    const auto changed = one.harness.call(one.ref.Welcome(request));
    REQUIRE(changed);
    return changed->version();
  };
  CHECK(welcome(7) == 2);
  CHECK(find_node(one.read(), "n2")->state() == DirectoryNode::UP);
  CHECK(welcome(8) == 2);
  request.mutable_node()->set_admin("n2:7480");
  CHECK(welcome(8) == 3);
  CHECK(find_node(one.read(), "n2")->incarnation() == 8);
}

TEST_CASE("a node is removed only when nothing needs it") {
  Table one;
  CHECK(one.set_state("n1", DirectoryNode::DOWN).empty());
  CHECK(one.set_state("n1", DirectoryNode::REMOVED) == "NODE_STILL_NEEDED");  // keeps the directory
  CHECK(one.set_state("n2", DirectoryNode::DOWN).empty());
  CHECK(one.set_state("n2", DirectoryNode::REMOVED) == "NODE_STILL_NEEDED");  // has places
  CHECK(one.admit("n4", "n4:7400").empty());
  CHECK(one.set_state("n4", DirectoryNode::UP).empty());
  CHECK(one.set_state("n4", DirectoryNode::REMOVED) == "NODE_STILL_NEEDED");  // is up
}

TEST_CASE("a node is admitted with a name and addresses such as a manifest may have") {
  Table one;
  for (const char* const name : {"", "N4", "n 4", "-n4", "n4\n"})
    CHECK(one.admit(name, "n4:7400") == "NODE_UNSUITABLE");
  for (const char* const mesh : {"", "n4", "n4:x", "n4:0", "0.0.0.0:7400", "n4:70000"})
    CHECK(one.admit("n4", mesh) == "NODE_UNSUITABLE");
  v1::AdmitRequest request;
  *request.mutable_node() = node_named("n4");
  request.mutable_node()->set_admin("nowhere");
  CHECK(Table::reason(one.harness.call(one.ref.Admit(request))) == "NODE_UNSUITABLE");
  CHECK(one.read().version() == 1);
}

TEST_CASE("who keeps the directory changes once for each state of it that was seen") {
  Table one;
  const auto change = [&](std::uint64_t based_on, const std::string& add,
                          const std::string& remove) {
    v1::SetControlRequest request;
    request.set_based_on(based_on);
    request.mutable_change()->set_add(add);
    request.mutable_change()->set_remove(remove);
    return Table::reason(one.harness.call(one.ref.SetControl(request)));
  };
  REQUIRE(one.read().control_version() == 1);
  CHECK(change(0, "n2", "") == "DIRECTORY_CHANGED");
  CHECK(change(1, "n9", "") == "DIRECTORY_NODE_UNKNOWN");
  CHECK(change(1, "n1", "") == "CONTROL_UNSUITABLE");
  CHECK(change(1, "", "n2") == "CONTROL_UNSUITABLE");
  CHECK(change(1, "", "n1") == "CONTROL_UNSUITABLE");  // the last
  CHECK(one.places(1, {"n2", "n1"}).empty());          // is no change of it
  CHECK(change(1, "n2", "").empty());
  CHECK(one.read().control_version() == 3);
  CHECK(control_nodes(one.read()) == std::vector<std::string>{"n1", "n2"});
  CHECK(one.read(2).nodes_size() == 1);
  CHECK(change(1, "n3", "") == "DIRECTORY_CHANGED");
  CHECK(change(3, "n3", "n1").empty());
  CHECK(control_nodes(one.read()) == std::vector<std::string>{"n2", "n3"});
  CHECK(one.set_state("n2", DirectoryNode::DOWN).empty());
  CHECK(one.set_state("n2", DirectoryNode::REMOVED) == "NODE_STILL_NEEDED");
}

TEST_CASE("a table that goes on behind a loss takes the place of every copy, whatever that knew") {
  Table one;
  DirectoryTable copy = one.read();
  DirectoryNode lost = node_named("n7");
  lost.set_version(7);
  put(copy, lost);
  copy.set_version(7);
  v1::RenewRequest request;
  request.set_above(7);
  REQUIRE(one.harness.call(one.ref.Renew(request)));
  CHECK(one.read().version() == 8);
  REQUIRE(one.harness.call(one.ref.Renew(request)));
  CHECK(one.read().version() == 8);
  CHECK(merge(copy, one.read(7)));
  CHECK(copy.SerializeAsString() == one.read().SerializeAsString());
  CHECK_FALSE(find_node(copy, "n7"));
  // From then on differences are small again.
  CHECK(one.set_state("n3", DirectoryNode::DOWN).empty());
  CHECK(one.read(8).nodes_size() == 1);
  CHECK(merge(copy, one.read(8)));
  CHECK(copy.SerializeAsString() == one.read().SerializeAsString());
}

TEST_CASE("every change stands in the audit log with who wanted it and why") {
  Table one;
  v1::SetNodeRequest request;
  request.set_node("n2");
  request.set_draining(true);
  request.mutable_why()->set_who("operator");
  request.mutable_why()->set_text("a new disk");
  REQUIRE(one.harness.call(one.ref.SetNode(request)));
  REQUIRE(one.harness.call(one.ref.SetNode(request)));  // changes nothing
  v1::AuditRequest audit;
  const auto page = one.harness.call(one.ref.Audit(audit));
  REQUIRE(page);
  REQUIRE(page->items_size() == 2);
  CHECK(page->items(0).event().node_set().why().text() == "a new disk");
  CHECK(page->items(1).event().has_founded());
  audit.set_before(page->items(1).number());
  CHECK(one.harness.call(one.ref.Audit(audit))->items_size() == 0);
}

TEST_CASE(
    "the audit log tells what operators did apart from the rest, and ends with what is kept") {
  Table one;
  v1::NoteRequest note;
  CHECK(Table::reason(one.harness.call(one.ref.Note(note))) == "DIRECTORY_ORDER_EMPTY");
  for (int i = 0; i < 5; ++i) {
    note.mutable_why()->set_who("operator");
    note.mutable_why()->set_by("ann@desk");
    note.mutable_why()->set_what("note " + std::to_string(i));
    REQUIRE(one.harness.call(one.ref.Note(note)));
    CHECK(one.set_state("n3", i % 2 == 0 ? DirectoryNode::DOWN : DirectoryNode::UP).empty());
  }
  const std::uint64_t version = one.read().version();
  v1::AuditRequest request;
  request.set_operators(true);
  request.set_limit(2);
  const auto first = audit_view(*one.harness.call(one.ref.Audit(request)));
  REQUIRE(first.records_size() == 2);
  CHECK(first.more());
  CHECK(first.records(0).what() == "note 4");
  CHECK(first.records(1).what() == "note 3");
  CHECK(first.records(0).by() == "ann@desk");
  request.set_before(first.records(1).number());
  request.set_limit(100);
  const auto rest = audit_view(*one.harness.call(one.ref.Audit(request)));
  CHECK(rest.records_size() == 3);
  CHECK_FALSE(rest.more());
  const auto all = audit_view(*one.harness.call(one.ref.Audit({})));
  CHECK(all.records_size() == 11);
  CHECK(all.records(0).what() == "node n3 is down");
  CHECK(one.read().version() == version);  // notes change nothing
}

TEST_CASE("a format is switched on when every node reads it") {
  Table one;
  v1::SwitchOnRequest request;
  request.set_format("rows.2");
  CHECK(Table::reason(one.harness.call(one.ref.SwitchOn(request))) == "FORMAT_NOT_READABLE");
  for (const std::string name : {"n1", "n2", "n3"}) {
    v1::WelcomeRequest welcome;
    *welcome.mutable_node() = node_named(name);
    welcome.mutable_node()->add_formats("rows.2");
    REQUIRE(one.harness.call(one.ref.Welcome(welcome)));
  }
  REQUIRE(one.harness.call(one.ref.SwitchOn(request)));
  CHECK(one.read().formats_size() == 1);
  // Nobody goes back, and nobody comes who cannot read it.
  v1::WelcomeRequest older;
  *older.mutable_node() = node_named("n1");
  CHECK(Table::reason(one.harness.call(one.ref.Welcome(older))) == "FORMAT_UNREADABLE");
  CHECK(one.admit("n4", "n4:7400") == "FORMAT_UNREADABLE");
  v1::AdmitRequest newer;
  *newer.mutable_node() = node_named("n4");
  newer.mutable_node()->add_formats("rows.2");
  CHECK(one.harness.call(one.ref.Admit(newer)));
}

TEST_CASE("a shard is split when every node knows splits, one of a service at a time") {
  Table one;
  CHECK(one.split(0) == "FORMAT_NOT_READABLE");
  for (const std::string name : {"n1", "n2", "n3"}) {
    v1::WelcomeRequest welcome;
    *welcome.mutable_node() = node_named(name);
    welcome.mutable_node()->add_formats("shard-split");
    REQUIRE(one.harness.call(one.ref.Welcome(welcome)));
  }
  CHECK(one.split(7) == "SHARD_UNKNOWN");
  CHECK(one.split(0, 2048) == "SPLIT_UNSUITABLE");
  CHECK(one.split(1, 2048) == "SPLIT_UNSUITABLE");
  CHECK(one.end_split(1, 2, 2048) == "SPLIT_UNKNOWN");
  CHECK(one.end_split(1, 3) == "SPLIT_UNKNOWN");
  CHECK(one.split(1).empty());
  REQUIRE(one.read().formats_size() == 1);
  CHECK(one.read().formats(0).name() == "shard-split");
  const auto version = one.read().version();
  CHECK(one.split(1).empty());
  CHECK(one.split(1, 3072).empty());
  CHECK(one.read().version() == version);
  CHECK(one.split(0) == "SPLIT_UNDER_WAY");
  CHECK(one.split(1, 3000) == "SPLIT_UNDER_WAY");
  const DirectorySplit split = find_shard(one.read(), service, 1)->split();
  CHECK(split.shard() == 2);
  CHECK(split.first_bucket() == 2048);
  CHECK(split.at_bucket() == 3072);
  CHECK(split.end_bucket() == 4096);

  CHECK(one.end_split(0, 2) == "SPLIT_UNKNOWN");
  CHECK(one.end_split(1, 2).empty());
  CHECK(one.end_split(1, 2).empty());
  const DirectoryTable table = one.read();
  CHECK(table.version() == version + 1);
  CHECK_FALSE(find_shard(table, service, 1)->has_split());
  REQUIRE(find_shard(table, service, 2));
  CHECK(find_shard(table, service, 2)->nodes(0) == "n2");
  CHECK_FALSE(find_shard(table, service, 2)->founding());
  CHECK(find_service(table, service)->first_bucket_size() == 3);
  CHECK(one.split(0, 1).empty());
  CHECK(find_shard(one.read(), service, 0)->split().shard() == 3);
  CHECK(find_shard(one.read(), service, 0)->split().end_bucket() == 2048);

  // What the directory has forgotten it is told by the shard.
  CHECK(one.end_split(2, 3, 4000).empty());
  CHECK(find_service(one.read(), service)->first_bucket(3) == 4000);
  CHECK_FALSE(find_shard(one.read(), service, 0)->has_split());  // its number was taken
}

}  // namespace
}  // namespace troupe::cluster
