// The commands that operate a cluster, against an HTTP server in this process.
#include "fake_admin.hpp"
#include "support.hpp"

namespace troupe::cluster {
namespace {

const std::string view_json = R"({"node": "n1", "keeper": "n2", "reached": true, "table": {
  "clusterId": "id", "version": "17",
  "nodes": [
    {"name": "n1", "state": "UP", "control": true, "mesh": "a:7400", "admin": "a:7480",
     "labels": [{"name": "zone", "value": "z1"}]},
    {"name": "n2", "state": "UP", "draining": true, "cordoned": true, "mesh": "b:7400"},
    {"name": "n3", "state": "DOWN", "draining": true, "mesh": "c:7400"},
    {"name": "n4", "state": "REMOVED", "mesh": "d:7400"}],
  "shards": [{"service": "banking.v1.Accounts", "shard": 2, "nodes": ["n1", "n2"], "version": "9"}]}})";

const std::string unknown_node =
    R"({"type": "urn:troupe:error:DIRECTORY_NODE_UNKNOWN", "status": 404, "code": "NOT_FOUND",
        "detail": "the cluster has no node n9", "reason": "DIRECTORY_NODE_UNKNOWN"})";

std::string problem_of(const std::string& reason, const std::string& code,
                       const std::string& detail) {
  return R"({"code": ")" + code + R"(", "reason": ")" + reason + R"(", "detail": ")" + detail +
         "\"}";
}

struct Cluster {
  explicit Cluster(const std::string& outcome = R"({"version": "18"})", unsigned status = 200)
      : node({{"/v1/directory", {200, view_json}}, {"POST /v1/directory", {status, outcome}}}) {}
  Ran run(std::vector<std::string> words, const std::string& typed = "") {
    words.insert(words.end(), {"--admin", node.address()});
    command.typed = typed;
    return command.run(words);
  }
  // The only order that came.
  std::string ordered() const {
    const auto posted = node.posted();
    REQUIRE(posted.size() == 1);
    return posted.front();
  }
  FakeAdmin node;
  Command command;
};

}  // namespace

TEST_CASE("directory shows the members with all that restricts them, and where shards are to be") {
  Cluster cluster;
  Ran ran = cluster.run({"directory", "--shards"});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  CHECK(contains(ran.out, "n1    up                  yes             1        1          z1"));
  CHECK(contains(ran.out, "n2    draining, cordoned  no "));
  CHECK(contains(ran.out, "n3    down, draining      no "));
  CHECK_FALSE(contains(ran.out, "n4"));
  CAPTURE(ran.out);
  CHECK(contains(ran.out, "banking.v1.Accounts      2           n1, n2        9"));
  CHECK(contains(ran.out, "Version 17 as node n1 knows it, kept by node n2."));
  ran = cluster.run({"directory", "--json"});
  CHECK(ran.out.starts_with("{\"node\":\"n1\",\"keeper\":\"n2\""));
}

TEST_CASE("each order says what it wants, to the one path") {
  const auto sent = [](const std::vector<std::string>& words) {
    Cluster cluster;
    const Ran ran = cluster.run(words);
    CAPTURE(ran.err);
    CHECK(ran.status == 0);
    CHECK(contains(ran.out, "version"));
    return cluster.ordered();
  };
  CHECK(contains(sent({"cordon", "n2", "--why", "a new disk"}),
                 R"("cordon":{"node":"n2","cancel":false})"));
  CHECK(contains(sent({"cordon", "n2", "--why", "a new disk"}), R"("why":"a new disk")"));
  CHECK(contains(sent({"cordon", "n2", "--cancel"}), R"("cancel":true)"));
  CHECK(contains(sent({"drain", "n2", "--no-wait"}), R"("drain":{"node":"n2","cancel":false})"));
  CHECK(contains(sent({"drain", "n2", "--cancel", "--json"}), R"("cancel":true)"));
  CHECK(contains(sent({"move", "banking.v1.Accounts/2", "--from", "n1", "--to", "n4"}),
                 R"("move":{"service":"banking.v1.Accounts","shard":2,"from":"n1","to":"n4"})"));
  CHECK(contains(sent({"replicate", "banking.v1.Accounts", "--factor", "5"}),
                 R"("replicate":{"service":"banking.v1.Accounts","factor":5})"));
  CHECK(contains(sent({"remove", "n2", "--yes", "n2"}), R"("remove":{"node":"n2"})"));
  CHECK(contains(sent({"control", "add", "n4", "--no-wait"}),
                 R"("control":{"add":"n4","remove":""})"));
  CHECK(contains(sent({"control", "remove", "n4", "--no-wait"}),
                 R"("control":{"add":"","remove":"n4"})"));
  CHECK(contains(sent({"control", "replace", "n3", "--by", "n4", "--no-wait"}),
                 R"("control":{"add":"n4","remove":"n3"})"));
}

TEST_CASE("what is wrong on the command line is said before anybody is asked") {
  Cluster cluster;
  const auto wrong = [&](std::vector<std::string> words, const std::string& said) {
    const Ran ran = cluster.run(std::move(words));
    CAPTURE(ran.err);
    CHECK(ran.status == 2);
    CHECK(ran.out.empty());
    CHECK(contains(ran.err, said));
  };
  wrong({"drain"}, "NODE is required");
  wrong({"drain", "n1", "n2"}, "unknown argument \"n2\"");
  wrong({"drain", "n1", "--cancle"}, "did you mean \"--cancel\"?");
  wrong({"cordon"}, "NODE is required");
  wrong({"remove"}, "NODE is required");
  wrong({"move", "banking.v1.Accounts/2", "--from", "n1"}, "--to is required");
  for (const char* const shard : {"banking.v1.Accounts", "banking.v1.Accounts/", "x/-1",
                                  "banking.v1.Accounts/2a", "/2", "Accounts/2"})
    wrong({"move", shard, "--from", "n1", "--to", "n2"}, "banking.v1.Accounts");
  for (const char* const factor : {"0", "2", "4", "7", "x", "-1"})
    wrong({"replicate", "banking.v1.Accounts", "--factor", factor}, "--factor");
  wrong({"replicate", "Accounts", "--factor", "3"}, "\"Accounts\" is no service");
  wrong({"replicate", "banking.v1.Accounts"}, "--factor is required");
  wrong({"rebalance", "now"}, "unknown argument \"now\"");
  wrong({"advise", "--manifest", "m.toml"}, "--admin");
  wrong({"control"}, "A subcommand is required");
  wrong({"control", "ad", "n4"}, "did you mean \"add\"?");
  wrong({"control", "replace", "n3"}, "--by is required");
  wrong({"control", "replace", "n3", "--by", "n3"}, "a node does not replace itself");
  wrong({"directory", "--timeout", "soon"}, "--timeout \"soon\" is not a duration");
  CHECK(cluster.node.asked().empty());
  CHECK(Command{}.run({"drain", "n1", "--admin", "nowhere"}).status == 2);
  CHECK(Command{}.run({"directory", "--manifest", "/no/such/file.toml"}).status == 2);
}

TEST_CASE("a refusal says where, why and what the node said, and is the end") {
  const auto refused = [](const std::vector<std::string>& words) {
    Cluster cluster{unknown_node, 404};
    const Ran ran = cluster.run(words);
    CHECK(ran.status == 1);
    CHECK(ran.out.empty());
    CHECK(ran.err ==
          "troupe: " + cluster.node.address() + " refuses: the cluster has no node n9\n");
    cluster.ordered();
  };
  refused({"drain", "n9"});
  refused({"drain", "n9", "--no-wait", "--json"});
  refused({"cordon", "n9"});
  refused({"remove", "n9", "--yes", "n9"});
  refused({"move", "banking.v1.Accounts/1", "--from", "n9", "--to", "n1"});
  refused({"replicate", "shop.v1.Orders", "--factor", "3"});
  refused({"control", "add", "n9"});
  refused({"rebalance"});
  refused({"advise"});
}

TEST_CASE("a node that does not know the way is passed over, one that refuses is not") {
  const FakeAdmin lost{{{"POST /v1/directory",
                         {503, problem_of("DIRECTORY_UNREACHABLE", "UNAVAILABLE", "no keeper")}}}};
  const FakeAdmin other{{{"POST /v1/directory", {200, R"({"version": "18"})"}}}};
  const TemporaryFolder folder;
  const auto node = [](int number, std::uint16_t port) {
    const std::string n = std::to_string(number);
    return "[[nodes]]\nname = \"n" + n + "\"\nmesh = \"127.0.0.1:740" + n +
           "\"\nadmin = \"127.0.0.1:" + std::to_string(port) + "\"\n";
  };
  const auto file = folder.write("m.toml", "[cluster]\nname = \"demo\"\n" + node(1, 9) +
                                               node(2, lost.port()) + node(3, other.port()));
  const Ran ran = Command{}.run({"cordon", "n1", "--manifest", file});
  CHECK(ran.status == 0);
  CHECK(contains(ran.err, "node n1: nothing listens"));
  CHECK(contains(ran.err, "node n2: "));
  CHECK(contains(ran.err, "no keeper"));
  CHECK(other.posted().size() == 1);
}

TEST_CASE("an address that is no node, or a node that is alone, is told from a refusal") {
  const FakeAdmin page{{{"POST /v1/directory", {200, "<html>"}}}};
  Ran ran = Command{}.run({"cordon", "n1", "--admin", page.address()});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "answered with something else"));
  const FakeAdmin none{{}};
  ran = Command{}.run({"cordon", "n1", "--admin", none.address()});
  CHECK(contains(ran.err, "knows no /v1/directory"));
  Cluster alone{
      problem_of("ROUTE_NOT_FOUND", "UNIMPLEMENTED", "this node is alone and has no directory"),
      501};
  ran = alone.run({"cordon", "n1"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "this node is alone and has no directory"));
}

TEST_CASE("remove asks for the node's name, and does nothing without it") {
  for (const char* const typed : {"", "\n", "yes\n", "N2\n", "n22\n"}) {
    Cluster cluster;
    const Ran ran = cluster.run({"remove", "n2"}, typed);
    CHECK(ran.status == 1);
    CHECK(contains(ran.err, "Type its name to do it"));
    CHECK(contains(ran.err, "Nothing was changed"));
    CHECK(cluster.node.asked().empty());
  }
  Cluster cluster;
  CHECK(cluster.run({"remove", "n2", "--yes", "n3"}).status == 2);
  CHECK(cluster.node.asked().empty());
  const Ran ran = cluster.run({"remove", "n2"}, "n2\n");
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "Node n2 is removed (version 18)"));
}

TEST_CASE("drain waits until nothing is left, and says when the node is not draining any more") {
  Cluster done{R"({"version": "18", "left": {"draining": true}})"};
  Ran ran = done.run({"drain", "n2"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.err, "Ctrl-C leaves it so"));
  CHECK(contains(ran.out, "Node n2 has nothing left and may be stopped"));
  CHECK(done.node.posted().size() == 2);
  CHECK(contains(done.node.posted().back(), R"("leftOn":"n2")"));

  Cluster cancelled{R"({"version": "18", "left": {"wished": 2, "members": 3, "leaders": 1}})"};
  ran = cancelled.run({"drain", "n2"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "node n2 is not draining any more"));
}

TEST_CASE("drain asks for news of what it knows, and shows every step") {
  // What is left goes down with each question.
  Cluster cluster;
  cluster.node.then("POST /v1/directory",
                    {200, R"({"left": {"wished": 1, "members": 3, "leaders": 2,
                                                            "draining": true}})"});
  cluster.node.then("POST /v1/directory", {200, R"({"left": {"members": 1, "leaders": 1,
                                                            "draining": true}})"});
  cluster.node.then("POST /v1/directory", {200, R"({"left": {"draining": true}})"});
  const Ran ran = cluster.run({"drain", "n2", "--json"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.err, "n2: 3 replicas and 2 leaders left, 1 still without another place"));
  CHECK(contains(ran.err, "n2: 1 replica and 1 leader left\n"));
  CHECK(contains(ran.out, R"("draining":true)"));
  const auto posted = cluster.node.posted();
  REQUIRE(posted.size() == 4);
  CHECK_FALSE(contains(posted[1], "\"known\""));
  CHECK(contains(posted[2], R"("members":3)"));
  CHECK(contains(posted[3], R"("members":1)"));
  CHECK(contains(posted[3], R"("waitMs":10000)"));
}

TEST_CASE("rebalance shows what is to come, and what cannot be done") {
  Cluster cluster{R"({"plan": {
    "steps": [{"service": "banking.v1.Accounts", "shard": 1, "from": "n1", "to": "n4",
               "kind": "set places", "why": "n4 has less than its share"}],
    "held": [{"service": "banking.v1.Accounts", "shard": 2, "why": "no node is left for it"}],
    "waitsFor": "n3"}})"};
  cluster.command.unicode = false;
  Ran ran = cluster.run({"rebalance", "--plan"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "n1 -> n4"));
  CHECK(contains(ran.out, "no node is left for it"));
  CHECK(contains(ran.err, "1 replica to move, 0 leaders to change"));
  CHECK(contains(ran.err, "evenness waits for node n3"));
  ran = cluster.run({"rebalance", "--json"});
  CHECK(ran.out.starts_with("{\"steps\":["));
}

TEST_CASE("advise shows what there is and what there should be, and what services cost") {
  Cluster cluster{R"({"advice": {"nodes": 5, "nodesNow": 3, "reason": "utilisation",
    "services": [{"service": "banking.v1.Accounts", "nodes": 5, "shards": 8, "replicas": 3,
                  "cores": 4.25, "shardsNow": 4, "replicasNow": 3, "coresNow": 2.5,
                  "commandsPerSecond": 1234.5, "cpuShare": 0.75, "coreHours": 1.5,
                  "nodeHours": 2.25, "bytes": "1048576"}]}})"};
  cluster.command.unicode = false;
  Ran ran = cluster.run({"advise"});
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        R"(Nodes: 3 are up, 5 are advised (utilisation)

SERVICE              NODES  SHARDS  REPLICAS  BUSY CORES  ADVISED  COMMANDS/S
banking.v1.Accounts      5  4 -> 8         3        2.50     4.25      1234.5

COST OF              PROCESSOR  CORE HOURS  NODE HOURS    BYTES
banking.v1.Accounts     75.0 %       1.500        2.25  1.0 MiB
)");
  ran = cluster.run({"advise", "--json"});
  CHECK(ran.out.starts_with("{\"nodes\":5,\"nodesNow\":3"));
  CHECK(contains(cluster.node.posted().front(), R"("advice":true)"));
  Cluster fresh{R"({"advice": {}})"};
  ran = fresh.run({"advise"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "nothing has been reported yet"));
}

TEST_CASE("control shows who keeps the directory, waits for a change, and advises an odd number") {
  const std::string four =
      R"({"version": "18", "control": {"version": "18", "advice": "4 nodes: an odd number",
    "members": [{"node": "n1", "state": "up", "wished": true, "voter": true, "leader": true},
                {"node": "n2", "state": "up", "wished": true, "voter": true},
                {"node": "n3", "state": "down", "wished": true},
                {"node": "n4", "state": "up", "wished": true, "voter": true}]}})";
  Cluster cluster{four};
  Ran ran = cluster.run({"control", "show"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "n1    up     leader\nn2    up     follower\nn3    down   absent\n"));
  CHECK(contains(ran.err, "an odd number"));
  ran = cluster.run({"control", "show", "--json"});
  CHECK(ran.out.starts_with("{\"members\":[{\"node\":\"n1\""));

  Cluster changing;
  changing.node.then("POST /v1/directory",
                     {200, R"({"version": "18", "control": {"version": "18", "members": [
    {"node": "n1", "state": "up", "wished": true, "voter": true},
    {"node": "n4", "state": "up", "wished": true, "catchingUp": true}]}})"});
  changing.node.then("POST /v1/directory", {200, four});
  ran = changing.run({"control", "add", "n4"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.err, "n1 follower, n4 catching up"));
  CHECK(contains(ran.out, "Node n4 keeps the directory (version 18)"));
  const auto posted = changing.node.posted();
  REQUIRE(posted.size() == 3);
  CHECK(contains(posted[1], R"("version":"18")"));
  CHECK(contains(posted[2], R"("knownControl":{"members":[{"node":"n1")"));
  CHECK(contains(posted[2], R"("waitMs":10000)"));
}

}  // namespace troupe::cluster
