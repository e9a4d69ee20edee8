// `troupe status`, `troupe tree` and `troupe shards` against an HTTP server in this process.
#include <algorithm>
#include <thread>

#include "fake_admin.hpp"
#include "support.hpp"

namespace troupe::cluster {
namespace {

// 64-bit numbers are strings in Protobuf's JSON; "fresh" stands for a field of a later version.
const std::string status_json = R"({
  "cluster": "demo", "node": "n1", "version": "0.1.0", "state": "serving", "fresh": [1],
  "uptimeSeconds": "192", "gateway": "127.0.0.1:8080", "admin": "127.0.0.1:7480",
  "memoryBytes": "44145050",
  "services": [{"service": "banking.v1.Accounts", "context": "banking", "kind": "entity",
    "shards": 4, "serving": 3, "entitiesStored": "1234567", "entitiesResident": "100",
    "commands": "4200", "reads": "7"}],
  "log": {"commits": "4000", "entries": "4200", "segments": "2", "bytes": "134217728",
          "diskFull": true},
  "problems": ["the disk is full: make space"]})";

const std::string tree_json = R"({"id": "n1", "state": "running", "supervisor": true, "children": [
  {"id": "node log", "state": "running"},
  {"id": "context banking", "state": "running", "supervisor": true, "children": [
    {"id": "shard 0", "state": "running", "restarts": 2, "lastFailure": "bad\nday"},
    {"id": "shard 1", "state": "restarting"}]},
  {"id": "gateway", "state": "failed"}]})";

const std::string shards_json = R"({"shards": [
  {"service": "banking.v1.Accounts", "shard": 0, "node": "n1", "role": "leader", "state": "serving",
   "term": "3", "commitIndex": "120000", "appliedIndex": "119990", "checkpointedIndex": "100000",
   "logEntries": "20000", "entitiesStored": "2500", "entitiesResident": "80", "fileBytes": "1048576",
   "firstBucket": 0, "endBucket": 1024},
  {"service": "banking.v1.Accounts", "shard": 10, "node": "n1", "role": "starting",
   "state": "recovering", "quarantined": "1"}]})";

// What n1 says of the cluster whose only node it is; n2 is one of which it knows nothing now.
std::string of_cluster(const std::string& kind, const std::string& answer, bool two = false) {
  return R"({"nodes": [{"node": "n1", ")" + kind + "\": " + answer + "}" +
         (two ? R"(, {"node": "n2", "reason": "LINK_DOWN", "message": "there is no link to n2"})"
              : "") +
         "]}";
}

std::map<std::string, FakeAdmin::Answer> answers(bool two = false) {
  return {{"/v1/status", {200, status_json}},
          {"/v1/tree", {200, tree_json}},
          {"/v1/shards", {200, shards_json}},
          {"/v1/cluster/status", {200, of_cluster("status", status_json, two)}},
          {"/v1/cluster/tree", {200, of_cluster("tree", tree_json, two)}},
          {"/v1/cluster/shards", {200, of_cluster("shards", shards_json, two)}}};
}

std::string manifest_of(const std::vector<std::uint16_t>& ports) {
  std::string text = "[cluster]\nname = \"demo\"\n";
  int n = 0;
  for (const auto port : ports) {
    ++n;
    text += "[[nodes]]\nname = \"n" + std::to_string(n) + "\"\nmesh = \"127.0.0." +
            std::to_string(n) + ":7400\"\nadmin = \"0.0.0.0:" + std::to_string(port) + "\"\n";
  }
  return text;
}

// A port on which nobody listens: it was free a moment ago, and nobody else asks for it by number.
std::uint16_t dead_port() {
  boost::asio::io_context context;
  boost::asio::ip::tcp::acceptor acceptor{context, {boost::asio::ip::address_v4::loopback(), 0}};
  return acceptor.local_endpoint().port();
}

}  // namespace

TEST_CASE("status shows the node, its services, its log and its problems") {
  const FakeAdmin server{answers()};
  const Ran ran = Command{}.run({"status", "--admin", server.address()});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  CHECK(server.asked() == std::vector<std::string>{"/v1/cluster/status"});
  CHECK(ran.out ==
        R"(NODE  CLUSTER  STATE    UPTIME    MEMORY  GATEWAY         ADMIN           VERSION
n1    demo     serving  3m 12s  42.1 MiB  127.0.0.1:8080  127.0.0.1:7480  0.1.0

SERVICE              NODE  KIND    SHARDS  SERVING     STORED  RESIDENT  COMMANDS  READS  ERRORS
banking.v1.Accounts  n1    entity       4        3  1,234,567       100     4,200      7       0

LOG OF  COMMITS  ENTRIES  FILES       SIZE  DISK
n1        4,000    4,200      2  128.0 MiB  full

problem on n1: the disk is full: make space
)");
}

TEST_CASE("the tree is drawn with box characters, or with ASCII outside UTF-8") {
  const FakeAdmin server{answers()};
  Command command;
  Ran ran = command.run({"tree", "--admin", server.address()});
  CHECK(ran.status == 0);
  CHECK(ran.out == R"(ACTOR               STATE       RESTARTS  LAST FAILURE
n1                  running
├─ node log         running
├─ context banking  running
│  ├─ shard 0       running            2  bad day
│  └─ shard 1       restarting
└─ gateway          failed
)");
  command.unicode = false;
  ran = command.run({"tree", "--admin", server.address()});
  CHECK(ran.out == R"(ACTOR               STATE       RESTARTS  LAST FAILURE
n1                  running
+- node log         running
+- context banking  running
|  +- shard 0       running            2  bad day
|  `- shard 1       restarting
`- gateway          failed
)");
}

TEST_CASE("shards shows every shard with its place in the log") {
  const FakeAdmin server{answers()};
  const Ran ran = Command{}.run({"shards", "--admin", server.address()});
  CHECK(ran.status == 0);
  CHECK(
      ran.out ==
      R"(SERVICE              SHARD  BUCKETS  NODE  ROLE      STATE       TERM   COMMIT  APPLIED  ON DISK     LOG  STORED  RESIDENT  SET ASIDE     FILE
banking.v1.Accounts      0   0-1023  n1    leader    serving        3  120,000  119,990  100,000  20,000   2,500        80          0  1.0 MiB
banking.v1.Accounts     10           n1    starting  recovering     0        0        0        0       0       0         0          1      0 B
)");
}

TEST_CASE("--json prints one object per node, with fields that hold their default") {
  const FakeAdmin server{answers()};
  const Ran ran = Command{}.run({"status", "--json", "--admin", server.address()});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "{\"cluster\":\"demo\",\"node\":\"n1\""));
  CHECK(contains(ran.out, "\"errors\":\"0\""));
  CHECK(ran.out.find('\n') == ran.out.size() - 1);
  CHECK(!contains(ran.out, "fresh"));
}

TEST_CASE("the address comes from the command line, the environment or the manifest") {
  const FakeAdmin server{answers()};
  Command command;
  command.environment["TROUPE_ADMIN"] = server.address();
  CHECK(command.run({"tree"}).status == 0);
  command.environment["TROUPE_ADMIN"] = "127.0.0.1:" + std::to_string(dead_port());
  CHECK(command.run({"tree"}).status == 1);
  CHECK(command.run({"tree", "--admin", server.address()}).status == 0);
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", manifest_of({server.port()}));
  CHECK(command.run({"tree", "--manifest", file}).status == 0);
  CHECK(server.asked() == std::vector<std::string>{"/v1/cluster/tree", "/v1/cluster/tree",
                                                   "/v1/directory", "/v1/tree"});
}

TEST_CASE("one node tells of all, and of which it knows nothing") {
  const FakeAdmin one{answers(true)};
  for (const char* const question : {"status", "tree", "shards"}) {
    CAPTURE(question);
    const Ran ran = Command{}.run({question, "--admin", one.address()});
    CHECK(ran.status == 1);
    CHECK(contains(ran.out, "n1  "));
    CHECK(contains(ran.out, "n2  "));
    CHECK(contains(ran.out, "unreachable"));
    CHECK(ran.err == "troupe: node n2: there is no link to n2\n");
  }
  const Ran json = Command{}.run({"status", "--json", "--admin", one.address()});
  CHECK(json.status == 1);
  CHECK(std::ranges::count(json.out, '\n') == 1);
}

TEST_CASE("with a manifest every node is asked, and one that is down is shown as such") {
  const FakeAdmin one{answers()};
  const auto nobody = dead_port();
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", manifest_of({one.port(), nobody}));
  const Ran ran = Command{}.run({"status", "--manifest", file});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "n1    demo     serving"));
  CHECK(contains(ran.out, "n2             unreachable"));
  CHECK(ran.err.starts_with("troupe: node n2: nothing listens on 127.0.0.1:" +
                            std::to_string(nobody)));
}

TEST_CASE("tree and shards of a manifest are one table of all nodes, those that are down too") {
  const FakeAdmin one{answers()};
  const FakeAdmin other{answers()};
  const TemporaryFolder folder;
  const std::string file =
      folder.write("m.toml", manifest_of({one.port(), dead_port(), other.port()}));
  Ran ran = Command{}.run({"tree", "--manifest", file});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "└─ gateway          failed\nn2                  unreachable\nn3  "));
  ran = Command{}.run({"shards", "--manifest", file});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "n2              unreachable\nbanking.v1.Accounts      0   0-1023  n1"));
}

TEST_CASE("with a manifest nodes that came later are asked as well, and removed ones are not") {
  const FakeAdmin joined{answers()};
  auto known = answers();
  known["/v1/directory"] = FakeAdmin::Answer{200, R"({"table": {"version": "5", "nodes": [
    {"name": "n1", "state": "UP"}, {"name": "n2", "state": "REMOVED"},
    {"name": "n3", "state": "UP", "mesh": "127.0.0.1:7400", "admin": "0.0.0.0:)" +
                                                      std::to_string(joined.port()) + R"("},
    {"name": "n4", "state": "DOWN", "mesh": "127.0.0.1:7401"}]}})"};
  const FakeAdmin one{known};
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", manifest_of({one.port(), dead_port()}));
  const Ran ran = Command{}.run({"tree", "--manifest", file});
  CHECK(ran.status == 1);
  CHECK_FALSE(contains(ran.out, "n2"));
  CHECK(contains(ran.out, "n3                  running"));
  CHECK(contains(ran.out, "n4                  unreachable"));
  CHECK(ran.err == "troupe: node n4: it has no admin address that is known here\n");
}

TEST_CASE("all nodes are asked at the same time") {
  // The first answers only after the last was asked.
  const FakeAdmin silent{{}, FakeAdmin::Manner::silent};
  const FakeAdmin one{answers()};
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", manifest_of({silent.port(), one.port()}));
  std::thread answered{[&] {
    while (one.asked().empty()) std::this_thread::yield();
    silent.hang_up();
  }};
  const Ran ran = Command{}.run({"status", "--manifest", file, "--timeout", "1h"});
  answered.join();
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "n1             unreachable"));
  CHECK(contains(ran.out, "n1    demo     serving"));
}

TEST_CASE("status --watch asks until nobody reads it any more") {
  const FakeAdmin server{answers()};
  // Takes three pictures.
  struct Reader : std::stringbuf {
    int sync() override { return ++pictures < 3 ? 0 : -1; }
    int pictures = 0;
  } reader;
  std::ostream out{&reader};
  std::ostringstream err;
  CliIo io;
  io.out = &out;
  io.err = &err;
  io.clearable = true;
  io.environment = [](const std::string&) { return std::nullopt; };
  const std::string address = server.address();
  const char* words[] = {"troupe",  "status",  "--admin", address.c_str(),
                         "--watch", "--every", "1ms"};
  CHECK(run_cli(7, words, Command{}.hooks, io) == 1);
  CHECK(server.asked().size() == 3);
  CHECK(reader.str().starts_with("\x1b[H\x1b[2JNODE  CLUSTER"));
  CHECK(Command{}.run({"status", "--every", "1s"}).status == 2);
}

TEST_CASE("nobody at the address: the message says how to start a node and how to name one") {
  const std::string address = "127.0.0.1:" + std::to_string(dead_port());
  const Ran ran = Command{}.run({"status", "--admin", address});
  CHECK(ran.status == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err ==
        "troupe: nothing listens on " + address +
            ". Start a node with 'troupe up FILE', or say where it is with --admin ADDR, "
            "--manifest FILE or the environment variable TROUPE_ADMIN\n");
}

TEST_CASE("what is not a node is told apart from a node with a problem") {
  const FakeAdmin other{
      {{"/v1/cluster/status", {200, "<html>"}}, {"/v1/cluster/tree", {503, "draining\x1b[0m"}}}};
  Ran ran = Command{}.run({"status", "--admin", other.address()});
  CHECK(ran.status == 1);
  CHECK(ran.err.starts_with("troupe: " + other.address() + " answered with something else ("));
  ran = Command{}.run({"shards", "--admin", other.address()});
  CHECK(ran.status == 1);
  CHECK(ran.err ==
        "troupe: " + other.address() +
            " knows no /v1/cluster/shards. Is it the admin address of a node of this version? The "
            "manifest's key 'admin' says which it is\n");
  ran = Command{}.run({"tree", "--admin", other.address()});
  CHECK(ran.status == 1);
  CHECK(ran.err == "troupe: " + other.address() + " answered 503: draining [0m\n");

  const FakeAdmin no_http{{}, FakeAdmin::Manner::garbage};
  ran = Command{}.run({"status", "--admin", no_http.address()});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "does not speak HTTP"));
}

TEST_CASE("a node that does not answer is given up after the timeout") {
  const FakeAdmin silent{{}, FakeAdmin::Manner::silent};
  const Ran ran = Command{}.run({"status", "--admin", silent.address(), "--timeout", "50ms"});
  CHECK(ran.status == 1);
  CHECK(ran.err == "troupe: " + silent.address() +
                       " did not answer within 50ms. Try again with a longer --timeout\n");
}

TEST_CASE("states are coloured on a terminal, and columns stay aligned") {
  const FakeAdmin server{answers()};
  Command command;
  command.colour = true;
  const Ran ran = command.run({"tree", "--admin", server.address()});
  CHECK(contains(ran.out, "\x1b[32mrunning\x1b[0m"));
  CHECK(contains(ran.out, "\x1b[31mfailed\x1b[0m"));
  CHECK(contains(ran.out,
                 "shard 0       \x1b[32mrunning\x1b[0m            \x1b[33m2\x1b[0m  bad day\n"));
}

}  // namespace troupe::cluster
