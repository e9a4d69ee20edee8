// `troupe recover` against HTTP servers in this process, and its plan.
#include "cluster/recovery/recovery_plan.hpp"

#include "fake_admin.hpp"
#include "support.hpp"

namespace troupe::cluster {
namespace {

RecoveryGroup replica_of(std::uint32_t shard, std::uint64_t id, std::uint64_t last_term,
                         std::uint64_t last, int voters = 3) {
  RecoveryGroup group;
  group.set_service("banking.v1.Accounts");
  group.set_shard(shard);
  group.set_replica(id);
  group.set_role("follower");
  group.set_term(last_term);
  group.set_last_term(last_term);
  group.set_last_index(last);
  for (int i = 1; i <= voters; ++i) {
    RecoveryVoter& voter = *group.add_voters();
    voter.set_replica(static_cast<std::uint64_t>(i));
    voter.set_node("n" + std::to_string(i));
  }
  return group;
}

RecoveryView view_of(const std::string& node, std::vector<RecoveryGroup> groups) {
  RecoveryView view;
  view.set_cluster("demo");
  view.set_cluster_id("id");
  view.set_node(node);
  for (auto& group : groups) *view.add_groups() = std::move(group);
  return view;
}

// n1 is left of three; n2 and n3 do not answer.
const std::string left_json = R"({"cluster": "demo", "clusterId": "id", "node": "n1", "groups": [
  {"service": "banking.v1.Accounts", "shard": 0, "replica": "11", "role": "follower", "term": "4",
   "lastIndex": "120", "lastTerm": "3", "commitIndex": "118", "voters": [
     {"replica": "11", "node": "n1"}, {"replica": "12", "node": "n2"},
     {"replica": "13", "node": "n3"}]},
  {"service": "banking.v1.Accounts", "shard": 1, "replica": "21", "role": "leader", "term": "2",
   "lastIndex": "9", "lastTerm": "2", "commitIndex": "9", "voters": [
     {"replica": "21", "node": "n1"}]}]})";
const std::string led_json = R"({"cluster": "demo", "clusterId": "id", "node": "n1", "groups": [
  {"service": "banking.v1.Accounts", "shard": 0, "replica": "99", "role": "leader"}]})";
const std::string done_json = R"({"results": [{"service": "banking.v1.Accounts", "shard": 0}]})";

std::map<std::string, FakeAdmin::Answer> left(const std::string& report = done_json) {
  return {{"/v1/recovery", {200, left_json}}, {"POST /v1/recovery", {200, report}}};
}

struct Recover {
  explicit Recover(std::map<std::string, FakeAdmin::Answer> answers = left())
      : n1(std::move(answers)) {}
  // Nobody answers at those of the others: their ports are the discard service's.
  Ran run(std::vector<std::string> words, std::uint16_t other = 9) {
    const auto file = folder.write(
        "m.toml",
        "[cluster]\nname = \"demo\"\n"
        "[[nodes]]\nname = \"n1\"\nmesh = \"127.0.0.1:7401\"\nadmin = \"127.0.0.1:" +
            std::to_string(n1.port()) +
            "\"\n[[nodes]]\nname = \"n2\"\nmesh = \"127.0.0.1:7402\"\nadmin = \"127.0.0.1:" +
            std::to_string(other) +
            "\"\n[[nodes]]\nname = \"n3\"\nmesh = \"127.0.0.1:7403\"\nadmin = \"127.0.0.1:10\"\n");
    words.insert(words.begin(), {"recover", "--manifest", file});
    return command.run(words);
  }
  FakeAdmin n1;
  TemporaryFolder folder;
  Command command;
};

}  // namespace

TEST_CASE("recover shows what it would do, asks for the cluster's name, and does it") {
  Recover recover;
  recover.command.typed = "demo\n";
  const Ran ran = recover.run({"--lost", "n2,n3"});
  CAPTURE(ran.err);
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "Given up for good: n2, n3"));
  CHECK(
      contains(ran.out, "banking.v1.Accounts      0  n1, n2, n3  n1       3   120        118  n1"));
  CHECK(contains(ran.out, "LOST: "));
  CHECK(contains(ran.out, "1 more have a leader or a majority"));
  CHECK(contains(ran.out, "1 groups are led again"));
  const auto posted = recover.n1.posted();
  REQUIRE(posted.size() == 1);
  for (const char* part :
       {R"("cluster":"demo")", R"("clusterId":"id")", R"("node":"n1")", R"("lost":["n2","n3"])",
        R"("replica":"11")", R"("lastIndex":"120")", R"("lastTerm":"3")", R"("term":"1004")"})
    CHECK(contains(posted.front(), part));
}

TEST_CASE("recover changes nothing without the cluster's name") {
  for (const char* typed : {"", "\n", "yes\n", "Demo\n", "demo2\n"}) {
    Recover recover;
    recover.command.typed = typed;
    const Ran ran = recover.run({"--lost", "n2,n3"});
    CHECK(ran.status == 1);
    CHECK(contains(ran.err, "not confirmed: that is not the cluster's name, \"demo\""));
    CHECK(recover.n1.posted().empty());
  }
  Recover recover;
  recover.command.typed = "demo\n";
  const Ran wrong = recover.run({"--lost", "n2,n3", "--yes", "shop"});
  CHECK(wrong.status == 2);
  CHECK(contains(wrong.err, "--yes \"shop\" is not the name of the cluster"));
  CHECK(recover.n1.asked().empty());
  CHECK(recover.run({"--lost", "n2,n3", "--yes", "demo"}).status == 0);
}

TEST_CASE("recover wants to know who is lost, and by names of the cluster") {
  Recover recover;
  CHECK(recover.run({}).status == 2);
  const Ran unknown = recover.run({"--lost", "n2,n4"});
  CHECK(unknown.status == 2);
  CHECK(contains(unknown.err, "has no node \"n4\"; it has n1, n2, n3"));
  const Ran all = recover.run({"--lost", "n1,n2,n3"});
  CHECK(all.status == 2);
  CHECK(contains(all.err, "no node would be left"));
  CHECK(recover.n1.posted().empty());
}

TEST_CASE("recover knows nodes that came later, and none that was removed") {
  auto grown = left();
  grown["/v1/directory"] = {200, R"({"table": {"version": "5", "nodes": [
    {"name": "n1", "state": "UP"}, {"name": "n2", "state": "DOWN"},
    {"name": "n3", "state": "REMOVED"},
    {"name": "n4", "state": "DOWN", "mesh": "127.0.0.1:7404", "admin": "127.0.0.1:11"}]}})"};
  Recover recover{grown};
  const Ran gone = recover.run({"--lost", "n2,n3"});
  CHECK(gone.status == 2);
  CHECK(contains(gone.err, "has no node \"n3\"; it has n1, n2, n4"));
  const Ran silent = recover.run({"--lost", "n2", "--yes", "demo"});
  CHECK(silent.status == 1);
  CHECK(contains(silent.err, "node n4: nothing listens"));
  const Ran ran = recover.run({"--lost", "n2,n4", "--yes", "demo"});
  CAPTURE(ran.err);
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "Given up for good: n2, n4"));
}

TEST_CASE("recover does nothing while a node that is said to be lost lives") {
  const FakeAdmin n2{{{"/v1/status", {200, R"({"cluster": "demo", "node": "n2"})"}}}};
  Recover recover;
  const Ran answers = recover.run({"--lost", "n2,n3", "--yes", "demo"}, n2.port());
  CHECK(answers.status == 1);
  CHECK(contains(answers.err, "node n2 lives: it answers on its admin address"));
  CHECK(recover.n1.posted().empty());
  CHECK(recover.n1.asked() == std::vector<std::string>{"/v1/directory"});

  auto linked = left();
  linked["/v1/recovery"].body.insert(1, R"("linked": ["n3"], )");
  Recover other{linked};
  const Ran ran = other.run({"--lost", "n2,n3", "--yes", "demo"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "node n3 lives: node n1 is linked with it"));
  CHECK(other.n1.posted().empty());
}

TEST_CASE("recover needs an answer of every node that is left") {
  Recover recover;
  const Ran ran = recover.run({"--lost", "n2", "--yes", "demo"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "node n3: nothing listens"));
  CHECK(contains(ran.err, "name it in --lost"));
  CHECK(recover.n1.posted().empty());
}

TEST_CASE("recover says so when there is nothing to recover, and who is asked by mistake") {
  auto healthy = left();
  healthy["/v1/recovery"].body = led_json;
  Recover recover{healthy};
  const Ran ran = recover.run({"--lost", "n2,n3", "--yes", "demo"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "nothing to recover"));
  CHECK(recover.n1.posted().empty());

  auto foreign = left();
  foreign["/v1/recovery"].body = R"({"cluster": "shop", "clusterId": "x", "node": "n1"})";
  Recover other{foreign};
  const Ran wrong = other.run({"--lost", "n2,n3", "--yes", "demo"});
  CHECK(wrong.status == 1);
  CHECK(contains(wrong.err, "is node n1 of cluster \"shop\""));
}

TEST_CASE("recover tells which group a node left alone") {
  Recover recover{left(R"({"results": [{"service": "banking.v1.Accounts", "shard": 0,
                          "reason": "RECOVERY_REFUSED", "message": "it has a leader"}]})")};
  const Ran ran = recover.run({"--lost", "n2,n3", "--yes", "demo"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "banking.v1.Accounts/0: it has a leader"));
}

TEST_CASE("a group goes on from the newest log: the later term, then the longer") {
  const auto plan =
      plan_recovery({view_of("n1", {replica_of(0, 1, 7, 100, 5), replica_of(1, 1, 7, 100, 5)}),
                     view_of("n2", {replica_of(0, 2, 8, 90, 5), replica_of(1, 2, 7, 101, 5)})},
                    {"n3", "n4", "n5"});
  REQUIRE(plan);
  REQUIRE(plan->groups.size() == 2);
  CHECK(plan->groups[0].survivors.front().node == "n2");
  CHECK(plan->groups[0].term == 1008);
  CHECK(plan->groups[1].survivors.front().node == "n2");
  CHECK(plan->groups[1].survivors.size() == 2);
}

TEST_CASE("groups whose logs are equal are spread over the nodes that are left") {
  std::vector<RecoveryGroup> one, two;
  for (std::uint32_t shard = 0; shard < 6; ++shard) {
    one.push_back(replica_of(shard, 1, 7, 100, 5));
    two.push_back(replica_of(shard, 2, 7, 100, 5));
  }
  const auto plan = plan_recovery({view_of("n1", one), view_of("n2", two)}, {"n3", "n4", "n5"});
  REQUIRE(plan);
  int first = 0;
  for (const auto& group : plan->groups) first += group.survivors.front().node == "n1";
  CHECK(first == 3);
}

TEST_CASE("a replica that is not what the group knows is no survivor") {
  // n2 lost its disk and has a new replica that nobody knows; n3 is lost.
  auto stranger = replica_of(0, 77, 0, 0);
  stranger.clear_voters();
  const auto plan =
      plan_recovery({view_of("n1", {replica_of(0, 1, 7, 100)}), view_of("n2", {stranger})}, {"n3"});
  REQUIRE(plan);
  REQUIRE(plan->groups.size() == 1);
  CHECK(plan->groups[0].survivors.size() == 1);
  const auto hopeless = plan_recovery({view_of("n2", {stranger})}, {"n1", "n3"});
  REQUIRE(hopeless);
  CHECK(hopeless->hopeless == std::vector<std::string>{"banking.v1.Accounts/0"});
}

TEST_CASE("a shard that was on the lost nodes alone is named as lost") {
  auto view = view_of("n1", {replica_of(0, 1, 7, 100)});
  for (const char* const shard : {"banking.v1.Accounts/0", "banking.v1.Accounts/1"})
    view.add_placed(shard);
  const auto plan = plan_recovery({view}, {"n2", "n3"});
  REQUIRE(plan);
  CHECK(plan->groups.size() == 1);
  CHECK(plan->hopeless == std::vector<std::string>{"banking.v1.Accounts/1"});
}

TEST_CASE("no plan is made of half the truth") {
  auto silent = view_of("n1", {replica_of(0, 1, 7, 100)});
  silent.add_silent("banking.v1.Accounts/1");
  CHECK(plan_recovery({silent}, {"n2", "n3"}).error().reason == "SHARD_STARTING");
  auto foreign = view_of("n2", {});
  foreign.set_cluster_id("other");
  CHECK(plan_recovery({view_of("n1", {}), foreign}, {"n3"}).error().reason == "CLUSTERS_DIFFER");
  // With the majority everything is well, whoever is lost.
  const auto two = plan_recovery(
      {view_of("n1", {replica_of(0, 1, 7, 100)}), view_of("n2", {replica_of(0, 2, 7, 100)})},
      {"n3"});
  REQUIRE(two);
  CHECK(two->groups.empty());
  CHECK(two->healthy == 1);
}

}  // namespace troupe::cluster
