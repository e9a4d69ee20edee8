// Command lines of `troupe simulate` that are wrong: what is said, and exit status 2.
#include "simulations/cli/request.hpp"
#include "support.hpp"

namespace troupe::simulations {

TEST_CASE("a wrong command line says what is wrong, runs nothing and ends with status 2") {
  const TemporaryFolder folder;
  const std::string bad_plan = folder.write("bad.plan", "# faults\n1s kil n1\n");
  const std::string none = folder.path() + "/none";
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{}, "troupe: name a simulation or a file: all, aborts, calm, "},
      {{"legder", "--seed", "1"},
       "troupe: there is no simulation \"legder\"; did you mean \"ledger\"?\n"},
      {{"zzz"}, "troupe: there is no simulation \"zzz\"; 'troupe simulate --list' shows them\n"},
      {{"ledger", "--seed", "seven"},
       "troupe: --seed \"seven\" is not a whole number from 0 to 18446744073709551615\n"},
      {{"ledger", "--seed", "-1"}, "troupe: --seed \"-1\" is not a whole number"},
      {{"ledger", "--seeds", "0"}, "troupe: --seeds \"0\" is not a whole number from 1 to"},
      {{"ledger", "--seeds", "5x"}, "troupe: --seeds \"5x\" is not a whole number"},
      {{"ledger", "--first", ""}, "troupe: --first: the value is empty\n"},
      {{"ledger", "--jobs", "0"}, "troupe: --jobs \"0\" is not a whole number from 1 to 1024\n"},
      {{"ledger", "--for", "soon"},
       "troupe: --for \"soon\" is not a duration above 0s; write 30s, 10m or 1h\n"},
      {{"ledger", "--limit", "0s"}, "troupe: --limit \"0s\" is not a duration above 0s"},
      {{"ledger", "--seed", "1", "--seeds", "2"},
       "troupe: --seed excludes --seeds\nTry 'troupe simulate --help'.\n"},
      {{"ledger", "--seed", "1", "--first", "2"}, "troupe: --seed excludes --first\n"},
      {{"ledger", "--faults", "none", "--plan", "x"}, "troupe: --faults excludes --plan\n"},
      {{"ledger", "--faults", "power_cutt"},
       "troupe: --faults: there is no fault \"power_cutt\"; did you mean \"power_cut\"?\n"},
      {{"ledger", "--faults", "kill,"},
       "troupe: --faults: there is no fault \"\"; write \"none\", or some of kill, power_cut, "},
      {{"ledger", "--plan", none},
       "troupe: --plan: cannot read " + none + ": No such file or directory\n"},
      {{"ledger", "--plan", folder.path()}, "is a folder, not a plan of faults\n"},
      {{"ledger", "--plan", bad_plan}, "troupe: --plan " + bad_plan + ": line 2: "},
      {{"ledger", "--trace", folder.path() + "/no/t"},
       "troupe: --trace: cannot write " + folder.path() + "/no/t: No such file or directory\n"},
      {{none + ".toml"}, "troupe: cannot read " + none + ".toml: No such file or directory\n"},
      {{"ledger", "--sed", "1"}, "troupe: unknown option \"--sed\"; did you mean \"--seed\"?\n"},
  };
  for (const auto& [words, expected] : wrong) {
    const Ran ran = Simulate{}.run(words);
    CHECK_MESSAGE(ran.status == 2, ran.err);
    CHECK(ran.out.empty());
    CHECK_MESSAGE(contains(ran.err, expected), ran.err);
  }
}

TEST_CASE("a binary without simulations has no such command") {
  const Ran ran = cluster::Command{}.run({"simulate", "--list"});
  CHECK(ran.status == 2);
  CHECK(contains(ran.err, "troupe: unknown command \"simulate\""));
}

TEST_CASE("--help is there, with examples") {
  const Ran ran = Simulate{}.run({"--help"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "Usage: troupe simulate [OPTIONS] [NAME...]"));
  CHECK(contains(ran.out, "Examples:\n  troupe simulate --list\n"));
}

}  // namespace troupe::simulations
