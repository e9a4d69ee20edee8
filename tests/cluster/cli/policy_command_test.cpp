// `troupe policy`, against an HTTP server in this process.
#include "fake_admin.hpp"
#include "support.hpp"

namespace troupe::cluster {
namespace {

const std::string policies_json = R"({"policies": {"node": "n1", "groups": [
  {"of": "banking.v1.Accounts", "values": [
    {"key": "shards", "value": "4", "from": "default", "manifest": "4", "fixed": "'troupe split'"},
    {"key": "stale_age_max", "value": "2m", "from": "cluster", "manifest": "1h"},
    {"key": "limits.batch_commands", "value": "64", "from": "manifest", "manifest": "64"}]},
  {"of": "balancer", "values": [
    {"key": "enabled", "value": "true", "from": "default", "manifest": "true"}]}]}})";

struct PolicyCommand {
  explicit PolicyCommand(const std::string& outcome = R"({"version": "18"})")
      : node({{"POST /v1/directory", {200, outcome}}}) {}
  Ran run(std::vector<std::string> words) {
    words.insert(words.begin(), "policy");
    words.insert(words.end(), {"--admin", node.address()});
    return command.run(words);
  }
  std::string ordered() const { return node.posted().empty() ? "" : node.posted().front(); }
  FakeAdmin node;
  Command command;
};

TEST_CASE("policy alone shows what differs; of a service, all values and where they come from") {
  PolicyCommand all{policies_json};
  Ran ran = all.run({});
  CHECK(ran.status == 0);
  CHECK(contains(all.ordered(), R"("policy":{"of":"","set":[],"unset":[]})"));
  CHECK(contains(ran.out, "banking.v1.Accounts  stale_age_max  2m     1h"));
  CHECK_FALSE(contains(ran.out, "batch_commands"));
  PolicyCommand one{policies_json};
  ran = one.run({"banking.v1.Accounts"});
  CAPTURE(ran.out);
  CHECK(contains(one.ordered(), R"("of":"banking.v1.Accounts")"));
  CHECK(contains(ran.out, "shards                 4      default             no"));
  CHECK(contains(ran.out, "stale_age_max          2m     cluster   1h        yes"));
  CHECK(contains(ran.out, "limits.batch_commands  64     manifest            yes"));
  CHECK(contains(ran.out, "As node n1 has it."));
  PolicyCommand json{policies_json};
  CHECK(json.run({"--json"}).out.starts_with("{\"node\":\"n1\",\"groups\":["));
  PolicyCommand none{R"({"policies": {"node": "n2"}})"};
  CHECK(contains(none.run({}).out, "Nothing is different from the manifest of node n2."));
}

TEST_CASE("policy sets and unsets, of a service or of the balancer, and says who wants it") {
  PolicyCommand set;
  const Ran ran =
      set.run({"banking.v1.Accounts", "limits.waiting_commands=20000", "--unset", "restart.jitter",
               "stale_age_max=10m", "--unset", "restart.period", "--why", "a sale"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "(version 18)"));
  CHECK(contains(
      set.ordered(),
      R"("set":[{"key":"limits.waiting_commands","value":"20000"},)"
      R"({"key":"stale_age_max","value":"10m"}],"unset":["restart.jitter","restart.period"])"));
  CHECK(contains(set.ordered(), R"("why":"a sale")"));
  CHECK(contains(set.ordered(), R"("by":")"));
  PolicyCommand balancer;
  CHECK(balancer.run({"--balancer", "enabled=false"}).status == 0);
  CHECK(
      contains(balancer.ordered(), R"("of":"balancer","set":[{"key":"enabled","value":"false"}])"));
}

TEST_CASE("policy that means nothing is not sent, and says what to write") {
  PolicyCommand wrong;
  const auto complaint = [&](const std::vector<std::string>& words) {
    const Ran ran = wrong.run(words);
    CHECK(ran.status == 2);
    return ran.err;
  };
  CHECK(contains(complaint({"stale_age_max=10m"}), "is no service"));
  CHECK(contains(complaint({"banking.v1.Accounts", "stale_age_max"}), "write KEY=VALUE"));
  CHECK(contains(complaint({"banking.v1.Accounts", "=1"}), "write KEY=VALUE"));
  CHECK(contains(complaint({"--unset", "stale_age_max"}), "of which service?"));
  CHECK(wrong.ordered().empty());
}

}  // namespace
}  // namespace troupe::cluster
