// Simulations as TOML files: what they say, and every mistake in them with its place.
#include "simulations/cli/simulation_file.hpp"

#include <set>

#include "config/load.hpp"
#include "support.hpp"

namespace troupe::simulations {
namespace {

tl::expected<Variation, std::vector<config::Problem>> load(const std::string& text,
                                                           const std::string& manifest = "") {
  return load_simulation_file(
      {text, "dir/s.toml", &toy_simulations(), std::vector<std::string>{"banking.v1.Accounts"},
       [&](const std::string& file) -> tl::expected<std::string, std::string> {
         if (file != "dir/m.toml" || manifest.empty())
           return tl::make_unexpected("cannot read " + file);
         return manifest;
       }});
}

Variation loaded(const std::string& text, const std::string& manifest = "") {
  auto result = load(text, manifest);
  std::string problems;
  if (!result)
    for (const auto& problem : result.error()) problems += problem.describe() + "\n";
  REQUIRE_MESSAGE(result.has_value(), problems);
  return *result;
}

std::string problems(const std::string& text, const std::string& manifest = "") {
  std::string printed;
  if (const auto result = load(text, manifest); !result)
    for (const auto& problem : result.error()) printed += problem.describe() + "\n";
  return printed;
}

const std::string small_manifest = R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "n1:7400"
admin = "n1:7480"
)";

}  // namespace

TEST_CASE("a file that names a workload varies nothing") {
  const Variation variation = loaded("workload = \"ledger\"\n");
  CHECK(variation.name == "dir/s.toml");
  CHECK(variation.simulation == &toy("ledger"));
  CHECK(!variation.seeds);
  CHECK(!variation.first);
  CHECK(!variation.options.plan);
  CHECK(!variation.options.fault_kinds);
  CHECK(!variation.options.duration);
  CHECK(!variation.options.manifest);
  CHECK(!variation.options.clients);
}

TEST_CASE("a file varies faults, duration, clients and seeds") {
  const Variation variation = loaded(R"(workload = "stock"
faults = ["power_cut", "handler_throws"]
duration = "1m30s"
clients = 16
seeds = 200
first_seed = 7
)");
  CHECK(variation.simulation == &toy("stock"));
  CHECK(variation.options.fault_kinds ==
        std::vector<FaultKind>{FaultKind::power_cut, FaultKind::handler_throws});
  CHECK(variation.options.duration == 90s);
  CHECK(variation.options.clients == 16);
  CHECK(variation.seeds == 200);
  CHECK(variation.first == 7);
  CHECK(loaded("workload = \"stock\"\nfaults = \"none\"\n").options.fault_kinds->empty());
}

TEST_CASE("a file may hold the whole plan of faults, in any order") {
  const Variation variation = loaded(R"(workload = "ledger"
plan = """
# two
8s kill n1 lasts=1s

2s pause n1 lasts=1s   # the first
"""
)");
  const FaultPlan expected{{FaultKind::pause, 2s, 1s, "n1", "", 0},
                           {FaultKind::kill, 8s, 1s, "n1", "", 0}};
  CHECK(variation.options.plan == expected);
  CHECK(loaded("workload = \"ledger\"\nplan = \"2s pause n1 lasts=1s\"\n").options.plan ==
        FaultPlan{expected[0]});
}

TEST_CASE("a manifest stands in a file of its own or in sections, and means the same") {
  const auto nothing = [](const std::string&) { return std::nullopt; };
  const Variation apart = loaded("workload = \"ledger\"\nmanifest = \"m.toml\"\n", small_manifest);
  CHECK(apart.options.manifest == small_manifest);
  const Variation within = loaded(R"(workload = "ledger"
[manifest.cluster]
name = "test"
[[manifest.nodes]]
name = "n1"
mesh = "n1:7400"
admin = "n1:7480"
[manifest.services."banking.v1.Accounts"]
shards = 2
limits = { batch_bytes = "64KiB" }
)");
  const auto manifest = config::load_manifest(*within.options.manifest, "m.toml", nothing);
  REQUIRE_MESSAGE(manifest.has_value(), *within.options.manifest);
  CHECK(manifest->nodes.at(0).admin.to_string() == "n1:7480");
  CHECK(manifest->services.at("banking.v1.Accounts").shards == 2);
  CHECK(manifest->services.at("banking.v1.Accounts").limits.batch_bytes == 65536);
}

TEST_CASE("every mistake is found in one run, each with line and column") {
  CHECK(
      problems(R"(workload = "legder"
faults = ["power_cutt", "kill", "kill"]
duration = "0s"
clients = 0
seeds = "many"
first_seed = -1
client = 3
plan = """
1s kill n1 lasts=1s
  2s kil n1
soon pause n1
"""
[manifest.cluster]
name = "Not A Name"
shards = 3
)") ==
      R"(dir/s.toml:1:12: workload: "legder" is not one of "aborts", "calm", "exits", "fragile", "hangs", "ledger", "stock", "throws"
    did you mean "ledger"?
dir/s.toml:2:11: faults[0]: "power_cutt" is not one of )" +
          [] {
            std::string list;
            for (const auto& shape : fault_shapes())
              list += (list.empty() ? "" : ", ") + config::in_quotes(shape.name);
            return list;
          }() +
          R"(
    did you mean "power_cut"?
dir/s.toml:2:33: faults[2]: "kill" stands here twice
    write each once
dir/s.toml:3:12: duration: "0s" is out of range
    write a duration from "1s" to "24h"
dir/s.toml:4:11: clients: 0 is out of range
    write a whole number from 1 to 1000
dir/s.toml:5:9: seeds: expected an integer, found the string "many"
    write a whole number from 1 to 1000000000
dir/s.toml:6:14: first_seed: -1 is out of range
    write a whole number from 0 on
dir/s.toml:7:1: client: unknown key
    did you mean "clients"?
dir/s.toml:8:8: plan: it leaves nothing to be drawn
    leave out plan or faults
)" +
          [] {
            std::string kinds;
            for (const auto& shape : fault_shapes())
              kinds += (kinds.empty() ? "" : ", ") + std::string{shape.name};
            return "dir/s.toml:10:3: plan: line 10: 'kil' is no kind of fault; kinds are " + kinds;
          }() +
          R"(
dir/s.toml:11:1: plan: line 11: 'soon' is no time; begin with one, as 12.5s or 20ms
dir/s.toml:13:1: manifest.nodes: required key is missing
    One section per node, at least one.
dir/s.toml:14:8: manifest.cluster.name: "Not A Name" is not a name
    a name has 1 to 63 lower-case letters, digits and '-', no '-' at its ends
dir/s.toml:15:1: manifest.cluster.shards: unknown key
    it belongs in [manifest.service_defaults] or a service's own section
)");
}

TEST_CASE("what is of the wrong kind is said with what to write") {
  CHECK(problems("faults = 3\nplan = 4\nmanifest = 5\nfirst_seed = 1.5\n") ==
        R"(dir/s.toml:1:1: workload: required key is missing
    The name of a declared simulation; --list shows them.
dir/s.toml:1:10: faults: expected an array of strings or "none", found an integer
    write kinds in square brackets, such as ["power_cut"], or "none"
dir/s.toml:2:8: plan: expected a string, found an integer
    write one fault a line between """ and """
dir/s.toml:3:12: manifest: expected a path or a table, found an integer
    write manifest = "cluster.toml", or sections such as [manifest.cluster]
dir/s.toml:4:14: first_seed: expected an integer, found a number with a fraction
    write a whole number from 0 on
)");
}

TEST_CASE("text that is no TOML is reported, and the rest is read") {
  const std::string found = problems("workload = ledger\nclients = 0\n");
  CHECK(cluster::contains(found, "dir/s.toml:1:"));
  CHECK(cluster::contains(found, "dir/s.toml:2:11: clients: 0 is out of range"));
  CHECK(!cluster::contains(found, "required key"));
}

TEST_CASE("mistakes of a manifest's own file are told with that file's name") {
  CHECK(problems("workload = \"ledger\"\nmanifest = \"m.toml\"\nclients = 0\n",
                 small_manifest + "services = [\"banking.v1.Acounts\"]\n") ==
        R"(dir/s.toml:3:11: clients: 0 is out of range
    write a whole number from 1 to 1000
dir/m.toml:7:13: nodes[0].services[0]: this binary has no service "banking.v1.Acounts"
    did you mean "banking.v1.Accounts"?
)");
  CHECK(problems("workload = \"ledger\"\nmanifest = \"none.toml\"\n") ==
        R"(dir/s.toml:2:12: manifest: cannot read dir/none.toml
    a path begins in the folder of this file
)");
}

TEST_CASE("a simulation does not depend on the environment") {
  const std::string found = problems("workload = \"ledger\"\nmanifest = \"m.toml\"\n",
                                     small_manifest + "data = \"${HOME}\"\n");
  CHECK(cluster::contains(found, "dir/m.toml:7:8: nodes[0].data: "));
}

TEST_CASE("troupe simulate runs a file, and the command line has the last word") {
  const TemporaryFolder folder;
  const std::string file =
      folder.write("s.toml", "workload = \"ledger\"\nseeds = 3\nfirst_seed = 5\n");
  const Ran ran = Simulate{}.run({file});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "  again: troupe simulate " + file + " --seed 7\n"));
  CHECK(contains(ran.out, file + "      3       1 "));
  CHECK(Simulate{}.run({file, "--seeds", "2"}).status == 0);
  CHECK(Simulate{}.run({file, "--first", "8"}).status == 0);
  CHECK(Simulate{}.run({file, "--seed", "17"}).status == 1);
}

TEST_CASE("troupe simulate prints the problems of a file and ends with status 2") {
  const TemporaryFolder folder;
  const std::string file = folder.write("s.toml", "workload = \"stok\"\nseeds = 0\n");
  const Ran ran = Simulate{}.run({file, "ledger"});
  CHECK(ran.status == 2);
  CHECK(ran.out.empty());
  CHECK(contains(ran.err, file + ":1:12: workload: \"stok\" is not one of "));
  CHECK(contains(ran.err, file + ":2:9: seeds: 0 is out of range\n"));
  CHECK(contains(ran.err, "2 problems in " + file + "\n"));
}

TEST_CASE("every example of a simulation loads") {
  const std::filesystem::path examples{TROUPE_SOURCE_FOLDER "/config/examples/simulations"};
  std::set<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator{examples}) {
    const std::string file = entry.path().string();
    found.insert(entry.path().filename().string());
    std::ifstream stream{file};
    const std::string text{std::istreambuf_iterator<char>{stream}, {}};
    const auto result = load_simulation_file(
        {text, file, &toy_simulations(), std::vector<std::string>{"banking.v1.Accounts"}, {}});
    std::string said;
    if (!result)
      for (const auto& problem : result.error()) said += problem.describe() + "\n";
    CHECK_MESSAGE(result.has_value(), said);
    CHECK_MESSAGE(contains(text, "troupe simulate config/examples/simulations/" +
                                     entry.path().filename().string()),
                  file);
  }
  CHECK(found.contains("power-cuts.toml"));
}

}  // namespace troupe::simulations
