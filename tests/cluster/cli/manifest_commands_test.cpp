// `troupe check`, `troupe node`, and `troupe up` of one node.
#include "support.hpp"

namespace troupe::cluster {
namespace {

const std::string two_nodes = R"([cluster]
name = "pair"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
admin = "127.0.0.1:7480"
data = "${DATA:-data}/n1"
[[nodes]]
name = "n2"
mesh = "127.0.0.1:7401"
gateway = "0.0.0.0:8081"
admin = "[::]:7481"
data = "${DATA:-data}/n2"
services = []
)";

// Hooks that note what they were asked to run.
struct Launched {
  std::string node, data;
  int times = 0;
  CliHooks hooks(int status = 0) {
    return test_hooks([this, status](const config::Manifest& manifest, const std::string& name) {
      ++times;
      node = name;
      data = manifest.find_node(name)->data;
      return status;
    });
  }
};

}  // namespace

TEST_CASE("check says that a manifest is fine") {
  const Ran ran = Command{}.run({"check", example("single.toml")});
  CHECK(ran.status == 0);
  CHECK(ran.out == example("single.toml") + ": ok, cluster single, 1 node\n");
  CHECK(ran.err.empty());
}

TEST_CASE("check prints every problem with its place, and how many there are") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
admin = "127.0.0.1:7400"
services = ["banking.v1.Acounts"]
)");
  const Ran ran = Command{}.run({"check", file});
  CHECK(ran.status == 2);
  CHECK(ran.out ==
        file + R"(:6:9: nodes[0].admin: port 7400 is taken on this machine by nodes[0].mesh (line 5)
    give every address on a machine a port of its own
)" + file + R"(:7:13: nodes[0].services[0]: this binary has no service "banking.v1.Acounts"
    did you mean "banking.v1.Accounts"?
)");
  CHECK(ran.err == "2 problems in " + file + "\n");
}

TEST_CASE("check --json prints the same for programs") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", "[cluster]\nname = \"test\"\nnodes = 3\n");
  const Ran ran = Command{}.run({"check", "--json", file});
  CHECK(ran.status == 2);
  CHECK(ran.err.empty());
  CHECK(ran.out == "{\"file\":\"" + file +
                       "\",\"ok\":false,\"problems\":["
                       "{\"line\":1,\"column\":1,\"path\":\"nodes\",\"message\":\"required key is "
                       "missing\",\"hint\":\"One section per node, at least one.\"},"
                       "{\"line\":3,\"column\":1,\"path\":\"cluster.nodes\",\"message\":\"unknown "
                       "key\",\"hint\":\"known here: name, tls\"}]}\n");
  CHECK(Command{}.run({"check", "--json", example("single.toml")}).out ==
        "{\"file\":\"" + example("single.toml") + "\",\"ok\":true,\"problems\":[]}\n");
}

TEST_CASE("a manifest that cannot be read is named with the reason") {
  const TemporaryFolder folder;
  for (const std::string command : {"check", "up"}) {
    Ran ran = Command{}.run({command, folder.path() + "/none.toml"});
    CHECK(ran.status == 2);
    CHECK(ran.err ==
          "troupe: cannot read " + folder.path() + "/none.toml: No such file or directory\n");
    ran = Command{}.run({command, folder.path()});
    CHECK(ran.status == 2);
    CHECK(ran.err == "troupe: " + folder.path() + " is a folder, not a manifest\n");
  }
}

TEST_CASE("control characters of a manifest do not reach the terminal") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("m.toml",
                   "[cluster]\nname = \"\\u001b[2J\"\n[[nodes]]\nname = \"n1\"\nmesh = "
                   "\"a:1\"\nadmin = \"a:2\"\n");
  const Ran ran = Command{}.run({"check", file});
  CHECK(ran.status == 2);
  CHECK(!contains(ran.out, "\x1b"));
  CHECK(contains(ran.out, "\" [2J\" is not a name"));
}

TEST_CASE("up prints what runs and what to type next, then runs the node here") {
  Launched launched;
  Command command;
  command.hooks = launched.hooks(7);
  const TemporaryFolder folder;
  const std::string data = folder.path();
  const Ran ran = command.run({"up", example("single.toml"), "--data", data});
  CHECK(ran.status == 7);  // the node's own
  CHECK(launched.times == 1);
  CHECK(launched.node == "n1");
  CHECK(launched.data == data);
  CHECK(contains(ran.err, "troupe: created the cluster single ("));
  CHECK(folder.has("node.txt"));
  const std::string padding(data.size() - 4, ' ');
  CHECK(ran.out == "NODE  GATEWAY                ADMIN                  DATA" + padding +
                       "  SERVICES\n"
                       "n1    http://127.0.0.1:8080  http://127.0.0.1:7480  " +
                       data +
                       "  banking.v1.Accounts, commerce.v1.Catalog, "
                       "commerce.v1.Inventory, commerce.v1.Orders\n"
                       "\n"
                       "In another terminal:  troupe status\n"
                       "To stop:              Ctrl-C\n");
}

TEST_CASE("up --only with one node runs it here") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", two_nodes);
  Launched launched;
  Command command;
  command.hooks = launched.hooks();
  command.environment["DATA"] = folder.path();
  REQUIRE(command.run({"init", file}).status == 0);
  const Ran ran = command.run({"up", file, "--only", "n2"});
  CHECK(ran.status == 0);
  CHECK(launched.node == "n2");
  CHECK(contains(ran.out, "n2    http://127.0.0.1:8081  http://[::1]:7481  " + folder.path()));
  CHECK(contains(ran.out,
                 "\nIn another terminal:  troupe status --admin [::1]:7481\n"
                 "To stop:              Ctrl-C\n"));
  CHECK(ran.err.empty());
}

TEST_CASE("up --only with a name that the manifest does not have starts nothing") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", two_nodes);
  Command command;
  command.environment["DATA"] = folder.path();
  Ran ran = command.run({"up", file, "--only", "n1,n7"});
  CHECK(ran.status == 2);
  CHECK(ran.err == "troupe: " + file + " has no node \"n7\"; it has n1, n2\n");
  ran = command.run({"up", file, "--data", folder.path()});
  CHECK(ran.status == 2);
  CHECK(ran.err == "troupe: --data is one node's folder: give --only with one of n1, n2\n");
  CHECK_FALSE(folder.has("n1"));
}

TEST_CASE("node runs the named node without a word on standard output") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", two_nodes);
  Launched launched;
  Command command;
  command.hooks = launched.hooks();
  Ran ran = command.run({"node", file, "--name", "n2", "--data", "/srv/n2"});
  CHECK(ran.status == 0);
  CHECK(ran.out.empty());
  CHECK(launched.node == "n2");
  CHECK(launched.data == "/srv/n2");
  CHECK(command.run({"node", file, "--name", "n2", "--log-format", "text"}).status == 0);
  CHECK(command.run({"node", file, "--name", "n2", "--log-format", "xml"}).status == 2);
  ran = command.run({"node", file, "--name", "n3"});
  CHECK(ran.status == 2);
  CHECK(ran.err == "troupe: " + file + " has no node \"n3\"; it has n1, n2\n");
  CHECK(launched.times == 2);
}

TEST_CASE("a node that ends with an exception is a failure with its reason") {
  Command command;
  command.hooks.run_node = [](const config::Manifest&, const std::string&) -> int {
    throw std::runtime_error{"the disk is gone"};
  };
  const Ran ran = command.run({"node", example("single.toml"), "--name", "n1"});
  CHECK(ran.status == 1);
  CHECK(ran.err == "troupe: node n1 ended: the disk is gone\n");
}

TEST_CASE("up with a wrong manifest starts nothing and shows the problems on standard error") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", two_nodes + "\n[gatway]\n");
  Launched launched;
  Command command;
  command.hooks = launched.hooks();
  const Ran ran = command.run({"up", file, "--only", "n1"});
  CHECK(ran.status == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err == file +
                       ":16:2: gatway: unknown key\n    did you mean \"gateway\"?\n1 problem in " +
                       file + "\n");
  CHECK(launched.times == 0);
}

TEST_CASE("the environment reaches the manifest") {
  const TemporaryFolder folder;
  const std::string file = folder.write("m.toml", R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
admin = "127.0.0.1:7480"
data = "${TROUPE_DATA}"
)");
  Launched launched;
  Command command;
  command.hooks = launched.hooks();
  CHECK(command.run({"node", file, "--name", "n1"}).status == 2);
  command.environment["TROUPE_DATA"] = "/srv/data";
  CHECK(command.run({"node", file, "--name", "n1"}).status == 0);
  CHECK(launched.data == "/srv/data");
}

}  // namespace troupe::cluster
