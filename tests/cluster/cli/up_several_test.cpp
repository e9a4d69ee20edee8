// `troupe up` of several nodes, with shell scripts in the place of nodes: children of this process.
#include <signal.h>

#include "support.hpp"

namespace troupe::cluster {
namespace {

// A manifest of three nodes and the script that runs for each, with its name in $4. All wait to be
// told to stop; `body` says what happens first.
struct Troupe {
  explicit Troupe(const std::string& body) {
    std::string text = "[cluster]\nname = \"test\"\n";
    for (const std::string n : {"1", "2", "3"})
      text += "[[nodes]]\nname = \"n" + n + "\"\nmesh = \"127.0.0.1:740" + n +
              "\"\nadmin = \"127.0.0.1:748" + n + "\"\ndata = \"" + folder.path() + "/n" + n +
              "\"\n";
    file = folder.write("m.toml", text);
    command.hooks.program =
        folder.write("node.sh", "#!/bin/sh\nname=$4\ncd " + folder.path() +
                                    "\nwait_for() { while [ ! -e $1 ]; do sleep 0.01; done; }\n"
                                    "trap 'echo $name stops; exit ${status:-0}' TERM\n" +
                                    body + "\nwhile :; do sleep 0.01; done\n");
    std::filesystem::permissions(command.hooks.program, std::filesystem::perms::owner_all);
  }
  Ran up(std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"up", file});
    return command.run(more);
  }

  TemporaryFolder folder;
  std::string file;
  Command command;
};

// Once all three are there, one asks the parent to stop.
const std::string stop_when_all_run =
    "touch $name.runs\n"
    "if [ $name = n1 ]; then wait_for n2.runs; wait_for n3.runs; kill -TERM $PPID; fi";

}  // namespace

TEST_CASE("up creates the cluster, starts every node, prints a table, and stops all when asked") {
  Troupe troupe{"echo $1 $3 $name\n" + stop_when_all_run};
  const Ran ran = troupe.up();
  CHECK(ran.status == 0);
  CHECK(ran.out.starts_with("NODE  GATEWAY  ADMIN                  MESH            "));
  CHECK(contains(ran.out, " PID\nn1    none     http://127.0.0.1:7481  127.0.0.1:7401  "));
  CHECK(
      contains(ran.out, "\nIn another terminal:  troupe status --manifest " + troupe.file + "\n"));
  CHECK(contains(ran.err, "troupe: created the cluster test ("));
  for (const std::string node : {"n1", "n2", "n3"}) {
    CHECK(contains(ran.err, node + " | node --name " + node + "\n"));
    CHECK(contains(ran.err, node + " | " + node + " stops\n"));
  }
  CHECK_FALSE(contains(ran.err, "has ended"));
}

TEST_CASE("up says that a node died and goes on with the others, and fails at the end") {
  Troupe troupe{
      "if [ $name = n2 ]; then kill -KILL $$; fi\n"
      "touch $name.runs\n"
      "if [ $name = n1 ]; then wait_for n3.runs; wait_for died; kill -TERM $PPID; fi"};
  // Whoever reads the output of `up` sees the death before anything else happens.
  struct Reader : std::stringbuf {
    explicit Reader(std::string dead) : died(std::move(dead)) {}
    int sync() override {
      if (contains(str(), "by itself")) std::ofstream{died};
      return 0;
    }
    std::string died;
  } reader{troupe.folder.path() + "/died"};
  std::ostringstream out;
  std::ostream err{&reader};
  CliIo io;
  io.out = &out;
  io.err = &err;
  io.environment = [](const std::string&) { return std::nullopt; };
  const char* words[] = {"troupe", "up", troupe.file.c_str()};
  CHECK(run_cli(3, words, troupe.command.hooks, io) == 1);
  const std::string said = reader.str();
  CHECK(contains(said, ") has ended by itself, by SIGKILL; running: "));
  CHECK(contains(said, ". To start it again: troupe node " + troupe.file + " --name n2\n"));
  for (const std::string node : {"n1", "n3"}) CHECK(contains(said, node + " stops\n"));
}

TEST_CASE("up ends with a failure when every node has died") {
  Troupe troupe{"echo no port; exit 3"};
  const Ran ran = troupe.up({"--only", "n1,n3"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "n1 | no port\n"));
  CHECK(contains(ran.err, "has ended by itself, with status 3; nothing else runs"));
  CHECK_FALSE(contains(ran.err, "n2 | "));
}

TEST_CASE("up fails when a node does not stop in good order") {
  Troupe troupe{"[ $name != n3 ] || status=1\n" + stop_when_all_run};
  const Ran ran = troupe.up();
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, ") has ended with status 1\n"));
  CHECK(contains(ran.err, "troupe: n3 (pid "));
}

TEST_CASE("a program that cannot be run says so, with the name of its node") {
  Troupe troupe{""};
  troupe.command.hooks.program = troupe.folder.path() + "/none";
  const Ran ran = troupe.up({"--only", "n1,n2"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err,
                 "n1 | cannot run " + troupe.folder.path() + "/none: No such file or directory\n"));
}

TEST_CASE("lines reach the output whole, the last one without its end too") {
  Troupe troupe{"printf 'one'; printf ' line\\ntwo\\n\\nlast'; exit 0"};
  const Ran ran = troupe.up({"--only", "n1,n2"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.err, "n1 | one line\n"));
  CHECK(contains(ran.err, "n1 | two\n"));
  CHECK(contains(ran.err, "n1 | \n"));
  CHECK(contains(ran.err, "n1 | last\n"));
}

}  // namespace troupe::cluster
