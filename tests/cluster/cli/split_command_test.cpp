// `troupe split` against an HTTP server in this process.
#include "fake_admin.hpp"
#include "support.hpp"

namespace troupe::cluster {
namespace {

const std::string split_table = R"({"node": "n1", "keeper": "n1", "reached": true, "table": {
  "version": "9", "services": [{"service": "banking.v1.Accounts", "factor": 3,
  "firstBucket": [0, 2048, 3000]}], "shards": [
  {"service": "banking.v1.Accounts", "shard": 0, "nodes": ["n1", "n2", "n3"], "version": "1"},
  {"service": "banking.v1.Accounts", "shard": 1, "nodes": ["n1", "n2", "n3"], "version": "9"},
  {"service": "banking.v1.Accounts", "shard": 2, "nodes": ["n2", "n1", "n3"], "version": "9"}]}})";

std::map<std::string, FakeAdmin::Answer> node_with_directory() {
  return {{"/v1/directory", {200, split_table}},
          {"POST /v1/directory", {200, R"({"version": "8"})"}}};
}

TEST_CASE("a shard is split when its name is typed, and the end is waited for") {
  FakeAdmin node{node_with_directory()};
  node.then("POST /v1/directory", {200, R"({"split": {"underWay": true}})"});
  node.then("POST /v1/directory", {200, R"({"split": {"fresh": {"service": "banking.v1.Accounts",
    "shard": 2}, "firstBucket": 3000, "endBucket": 4096}})"});
  Command command;
  command.typed = "banking.v1.Accounts/1\n";
  const Ran ran =
      command.run({"split", "banking.v1.Accounts/1", "--at", "3000", "--admin", node.address()});
  CAPTURE(ran.err);
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "shard 2 has the buckets 3000 to 4095"));
  const auto posted = node.posted();
  REQUIRE(posted.size() == 3);
  CHECK(contains(posted[0], "\"atBucket\":3000"));
  // A question that the cluster holds back until there is something to say.
  CHECK(contains(posted[1], R"("split":{"service":"banking.v1.Accounts","shard":1})"));
  CHECK(contains(posted[1], R"("version":"8")"));
  CHECK(contains(posted[2], R"("waitMs":10000)"));
}

TEST_CASE("of a split about which nobody says anything it is not said that it is over") {
  FakeAdmin node{node_with_directory()};
  const Ran ran = Command{}.run({"split", "banking.v1.Accounts/1", "--yes", "banking.v1.Accounts/1",
                                 "--admin", node.address()});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "is not over yet"));
  CHECK(node.posted().size() == 2);
}

TEST_CASE("a split that is not confirmed is not ordered") {
  FakeAdmin node{node_with_directory()};
  Command command;
  command.typed = "yes\n";
  const auto split = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"split", "--admin", node.address()});
    return command.run(words);
  };
  const Ran typed = split({"banking.v1.Accounts/1"});
  CHECK(typed.status == 1);
  CHECK(contains(typed.err, "not confirmed"));
  CHECK(split({"banking.v1.Accounts/1", "--yes", "1"}).status == 2);
  CHECK(split({"banking.v1.Accounts", "--yes", "banking.v1.Accounts"}).status == 2);
  CHECK(split({"banking.v1.Accounts/1", "--at", "4096"}).status == 2);
  CHECK(node.posted().empty());
}

TEST_CASE("the directory shows which buckets a shard has") {
  FakeAdmin node{node_with_directory()};
  const Ran ran = Command{}.run({"directory", "--shards", "--admin", node.address()});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "0-2047"));
  CHECK(contains(ran.out, "2048-2999"));
  CHECK(contains(ran.out, "3000-4095"));
}

}  // namespace
}  // namespace troupe::cluster
