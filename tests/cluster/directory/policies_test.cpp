// What the directory's table says differently from the manifests.
#include <doctest/doctest.h>

#include "actors/testing/entity_harness.hpp"
#include "cluster/directory/audit.hpp"
#include "cluster/directory/policies.hpp"
#include "cluster/directory/service.hpp"

namespace troupe::cluster {
namespace {

namespace v1 = directory::v1;

constexpr const char* shelf = "shelf.v1.Books";

struct PolicyTable {
  explicit PolicyTable(bool all_read_it = true) {
    v1::FoundRequest request;
    DirectoryTable& table = *request.mutable_table();
    table.set_cluster_id("id");
    for (const std::string name : {"n1", "n2"}) {
      DirectoryNode node;
      node.set_name(name);
      node.set_state(DirectoryNode::UP);
      if (all_read_it || name == "n1") node.add_formats("policies");
      node.add_services(shelf);
      put(table, node);
    }
    table.mutable_nodes(0)->set_control(true);
    table.add_services()->set_service(shelf);
    REQUIRE(harness.call(ref.Found(request)));
  }
  std::string set(const std::string& key, const std::string& value, const std::string& of = shelf) {
    v1::SetPoliciesRequest request;
    request.set_of(of);
    request.add_set()->set_key(key);
    request.mutable_set(0)->set_value(value);
    request.mutable_why()->set_who("operator");
    return said(harness.call(ref.SetPolicies(request)));
  }
  std::string unset(const std::string& key) {
    v1::SetPoliciesRequest request;
    request.set_of(shelf);
    request.add_unset(key);
    return said(harness.call(ref.SetPolicies(request)));
  }
  DirectoryTable read(std::uint64_t since = 0) {
    v1::ReadRequest request;
    request.set_since(since);
    auto table = harness.call(ref.Read(request));
    REQUIRE(table);
    return *table;
  }
  static std::string said(const Result<v1::Changed>& changed) {
    return changed ? "" : changed.error().reason + " " + changed.error().message;
  }
  v1::DirectoryRef ref{std::string{directory_key}};
  troupe::testing::EntityHarness harness{directory_service(), std::string{directory_key}};
};

TEST_CASE("policies are set and unset, each change is a version, and copies come to have them") {
  PolicyTable one;
  DirectoryTable copy = one.read();
  CHECK(one.set("limits.waiting_commands", "20000").empty());
  CHECK(one.read().version() == 2);
  CHECK(one.set("stale_age_max", "120s").empty());
  CHECK(one.set("stale_age_max", "\"2m\"").empty());  // the same
  CHECK(one.read().version() == 3);
  CHECK(one.set("repair_after", "1h", "balancer").empty());
  CHECK(policies_in(one.read(), shelf) ==
        config::Policies{{"limits.waiting_commands", "20000"}, {"stale_age_max", "2m"}});
  CHECK(policies_in(one.read(), "balancer") == config::Policies{{"repair_after", "1h"}});

  CHECK(merge(copy, one.read(copy.version())));
  CHECK(copy.SerializeAsString() == one.read().SerializeAsString());
  CHECK(one.unset("limits.waiting_commands").empty());
  CHECK(one.read(copy.version()).policies_size() == 1);
  CHECK(merge(copy, one.read(copy.version())));
  CHECK(policies_in(copy, shelf) == config::Policies{{"stale_age_max", "2m"}});
  const auto version = one.read().version();
  CHECK(one.unset("limits.waiting_commands").empty());
  CHECK(one.read().version() == version);
  one.harness.reload();
  CHECK(copy.SerializeAsString() == one.read().SerializeAsString());
}

TEST_CASE("a table that goes on above a lost one keeps its policies") {
  PolicyTable one;
  CHECK(one.set("stale_age_max", "2m").empty());
  DirectoryTable copy = one.read();
  copy.set_version(9);
  copy.mutable_policies(0)->mutable_policies(0)->set_value("3m");
  copy.mutable_policies(0)->set_version(9);
  v1::RenewRequest request;
  request.set_above(9);
  REQUIRE(one.harness.call(one.ref.Renew(request)));
  CHECK(merge(copy, one.read(copy.version())));
  CHECK(policies_in(copy, shelf) == config::Policies{{"stale_age_max", "2m"}});
}

TEST_CASE("what a manifest could not say is refused, with what is right, and changes nothing") {
  PolicyTable one;
  const auto refused = [&](const std::string& key, const std::string& value, const char* with,
                           const std::string& of = shelf) {
    const std::string said = one.set(key, value, of);
    CAPTURE(said);
    CHECK(said.starts_with("POLICY_UNSUITABLE"));
    CHECK(said.find(with) != std::string::npos);
  };
  refused("limits.waiting_commands", "0", "from 1 to 10000000");
  refused("limits.waiting", "5", "did you mean \"waiting_commands\"?");
  refused("shards", "8", "'troupe split'");
  refused("replication_factor", "5", "'troupe replicate'");
  refused("reply_window", "1h", "could run twice");
  refused("down_after", "1s", "from \"2s\"", "balancer");
  refused("stale_age_max", "1h", "unknown key", "balancer");
  CHECK(one.unset("limits.waiting").starts_with("POLICY_UNSUITABLE"));
  CHECK(one.set("stale_age_max", "1h", "shelf.v1.Lends").starts_with("SHARD_UNKNOWN"));
  CHECK(one.read().version() == 1);
}

TEST_CASE("policies are a format: switched on by the first, refused while a node cannot read it") {
  PolicyTable older{false};
  CHECK(older.set("stale_age_max", "2m").starts_with("FORMAT_NOT_READABLE"));
  CHECK(older.read().formats_size() == 0);
  PolicyTable one;
  CHECK(one.set("stale_age_max", "2m").empty());
  REQUIRE(one.read().formats_size() == 1);
  CHECK(one.read().formats(0).name() == "policies");
  v1::AdmitRequest request;
  request.mutable_node()->set_name("n9");
  request.mutable_node()->set_mesh("n9:7400");
  const auto admitted = one.harness.call(one.ref.Admit(request));
  REQUIRE_FALSE(admitted);
  CHECK(admitted.error().reason == "FORMAT_UNREADABLE");
}

TEST_CASE("the audit log has who changed a policy, also where nobody said what was ordered") {
  PolicyTable one;
  CHECK(one.set("stale_age_max", "2m").empty());
  const auto page = one.harness.call(one.ref.Audit(v1::AuditRequest{}));
  REQUIRE(page);
  const AuditView view = audit_view(*page);
  REQUIRE(view.records_size() == 2);
  CHECK(view.records(0).who() == "operator");
  CHECK(view.records(0).what() == "policies of shelf.v1.Books are stale_age_max=2m");
}

TEST_CASE("what this version does not know of the policies in a table stays in it") {
  PolicyTable one;
  DirectoryTable table = one.read();
  DirectoryPolicies known;
  known.set_of(shelf);
  auto& newer = *known.add_policies();
  newer.set_key("limits.of_tomorrow");
  newer.set_value("7");
  put(table, known);
  v1::SetPoliciesRequest request;
  request.set_of(shelf);
  request.add_set()->set_key("stale_age_max");
  request.mutable_set(0)->set_value("2m");
  const auto changed = with_policies(table, request);
  REQUIRE(changed);
  REQUIRE(*changed);
  CHECK((*changed)->policies_size() == 2);
  config::Service settings;
  CHECK(config::apply_policies(settings, policies_in(table, shelf)).size() == 1);
  request.clear_set();
  request.add_unset("limits.of_tomorrow");
  CHECK(with_policies(table, request));
}

}  // namespace
}  // namespace troupe::cluster
