// `troupe init`, and what `troupe up` makes of data folders.
#include "support.hpp"

namespace troupe::cluster {
namespace {

const std::string cluster_id = "2f1c0d3e-5a7b-4c8d-9e0f-123456789abc";

// The admin addresses say whether they are on one machine, `host` is all but their last digit.
std::string three_nodes(const std::string& folder, const std::string& host = "127.0.0.") {
  std::string text = "[cluster]\nname = \"test\"\n";
  for (const std::string n : {"1", "2", "3"})
    text += "[[nodes]]\nname = \"n" + n + "\"\nmesh = \"127.0.0.1:740" + n + "\"\nadmin = \"" +
            host + n + ":748" + n + "\"\ndata = \"" + folder + "/n" + n + "\"\n";
  return text;
}

std::string content(const TemporaryFolder& folder, const std::string& file) {
  std::ifstream stream{folder.path() + "/" + file};
  return {std::istreambuf_iterator<char>{stream}, {}};
}

}  // namespace

TEST_CASE("init gives all folders one new id, prints it and what to type next") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  const Ran ran = Command{}.run({"init", file});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  const std::string written = content(folder, "n1/node.txt");
  REQUIRE(written.starts_with("cluster test\nid "));
  const std::string id = written.substr(16, 36);
  CHECK(written == "cluster test\nid " + id + "\nnode n1\nmember founder\n");
  CHECK(content(folder, "n3/node.txt") == "cluster test\nid " + id + "\nnode n3\nmember founder\n");
  CHECK(contains(ran.out, "n2    " + folder.path() + "/n2  test     " + id + "\n"));
  CHECK(contains(ran.out, "\nTo start:  troupe up " + file + "\n"));
}

TEST_CASE("init runs once: a folder that has an identity is left alone, and it says whose it is") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  REQUIRE(Command{}.run({"init", file, "--node", "n2", "--id", cluster_id}).status == 0);
  const Ran ran = Command{}.run({"init", file});
  CHECK(ran.status == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err == "troupe: FOLDER_TAKEN: " + folder.path() +
                       "/n2 is node n2's of the cluster test (" + cluster_id +
                       "); a cluster is created once, in folders that are empty\n");
  CHECK_FALSE(folder.has("n1"));
}

TEST_CASE("init of some nodes prints the commands for the others, under the same id") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path(), "10.0.0."));
  Ran ran = Command{}.run({"init", file});
  CHECK(ran.status == 2);
  CHECK(contains(ran.err, "are on several machines"));
  CHECK(contains(ran.err, "\n    troupe init " + file + " --node n1\n"));
  CHECK_FALSE(folder.has("n1"));

  ran = Command{}.run({"init", file, "--node", "n1", "--id", cluster_id});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "Where node n2 will run:  troupe init " + file + " --node n2 --id " +
                              cluster_id + "\n"));
  CHECK(contains(ran.out, "--node n3 --id "));
  CHECK_FALSE(contains(ran.out, "--node n1 --id "));
  CHECK_FALSE(folder.has("n2"));
}

TEST_CASE("init does not create a second cluster beside a folder of the first") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  REQUIRE(Command{}.run({"init", file, "--node", "n1", "--id", cluster_id}).status == 0);
  const Ran ran = Command{}.run({"init", file, "--node", "n2"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "the cluster test exists: " + folder.path() + "/n1 is node n1's"));
  CHECK(contains(ran.err, "    troupe init " + file + " --node n2 --id " + cluster_id +
                              " --replace   (lost its data)\n"));
  CHECK_FALSE(folder.has("n2"));
  CHECK(Command{}.run({"init", file, "--node", "n2", "--id", cluster_id}).status == 0);
}

TEST_CASE("init --json prints what was created for programs") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  const Ran ran = Command{}.run({"init", file, "--node", "n2", "--id", cluster_id, "--json"});
  CHECK(ran.status == 0);
  CHECK(ran.out == "{\"cluster\":\"test\",\"clusterId\":\"" + cluster_id +
                       "\",\"created\":[{\"node\":\"n2\",\"data\":\"" + folder.path() +
                       "/n2\"}],\"remaining\":[\"n1\",\"n3\"]}\n");
}

TEST_CASE("init with an id or a node that cannot be is a wrong command line") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  Ran ran = Command{}.run({"init", file, "--id", "42"});
  CHECK(ran.status == 2);
  CHECK(contains(ran.err, "CLUSTER_ID_INVALID: '42' is no cluster id"));
  ran = Command{}.run({"init", file, "--node", "n9"});
  CHECK(ran.status == 2);
  CHECK(ran.err == "troupe: " + file + " has no node \"n9\"; it has n1, n2, n3\n");
  ran = Command{}.run({"init", file, "--data", folder.path()});
  CHECK(ran.status == 2);
  CHECK(ran.err == "troupe: --data is one node's folder: give --node with its name\n");
  CHECK_FALSE(folder.has("n1"));
}

TEST_CASE("up refuses when only some folders are empty, and says which and why") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  REQUIRE(Command{}.run({"init", file, "--id", cluster_id}).status == 0);
  std::filesystem::remove_all(folder.path() + "/n2");
  const Ran ran = Command{}.run({"up", file});
  CHECK(ran.status == 1);
  CHECK(ran.out.empty());
  CHECK(contains(ran.err, "troupe: n2 (" + folder.path() + "/n2) has no data, but n1 (" +
                              folder.path() + "/n1), n3 (" + folder.path() + "/n3) have. "));
  CHECK(contains(ran.err, "mount its disk or restore its folder"));
  CHECK(contains(ran.err, "    troupe init " + file + " --node n2 --id " + cluster_id +
                              "   (never ran)\n"
                              "    troupe init " +
                              file + " --node n2 --join   (is new)\n"));
  CHECK_FALSE(folder.has("n2"));
  // As it says for a node that lost its data.
  const std::vector<std::string> again{"init", file,       "--node",   "n2",
                                       "--id", cluster_id, "--replace"};
  CHECK(Command{}.run(again).status == 0);
  CHECK(content(folder, "n2/node.txt").ends_with("node n2\nmember replacement\n"));
  CHECK(Command{}.run({"init", file, "--replace"}).status == 2);
}

TEST_CASE("the manifest may stand behind the nodes") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  CHECK(Command{}.run({"init", "--node", "n2", "--node", "n1", file}).status == 0);
}

TEST_CASE("up does not create a cluster of several machines") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path(), "10.0.0."));
  Ran ran = Command{}.run({"up", file, "--only", "n1"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "\n    troupe init " + file + " --node n1\n"));
  CHECK_FALSE(folder.has("n1"));
  // Of the others' folders it knows nothing.
  REQUIRE(Command{}.run({"init", file, "--node", "n1"}).status == 0);
  CHECK(Command{}.run({"up", file, "--only", "n1"}).status == 0);
}

TEST_CASE("up refuses folders of two clusters") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", three_nodes(folder.path()));
  REQUIRE(Command{}.run({"init", file, "--node", "n1,n2"}).status == 0);
  REQUIRE(Command{}.run({"init", file, "--node", "n3", "--id", cluster_id}).status == 0);
  const Ran ran = Command{}.run({"up", file});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "FOLDER_FOREIGN: " + folder.path() + "/n3 of node n3 is of the cluster " +
                              cluster_id));
}

}  // namespace troupe::cluster
