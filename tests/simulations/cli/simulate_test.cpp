// `troupe simulate`: what it prints, and how it ends.
#include <google/protobuf/util/json_util.h>

#include <csignal>
#include <iostream>
#include <sstream>

#include "simulations/cli/report.pb.h"
#include "support.hpp"

namespace troupe::simulations {
namespace {

std::vector<Line> parsed(const std::string& text) {
  std::vector<Line> lines;
  std::istringstream stream{text};
  for (std::string line; std::getline(stream, line);)
    REQUIRE_MESSAGE(google::protobuf::util::JsonStringToMessage(line, &lines.emplace_back()).ok(),
                    line);
  return lines;
}

// The commands that a text gives to be run again, without "troupe simulate".
std::vector<std::string> words_of(const std::string& command) {
  std::istringstream stream{command.substr(std::string{"troupe simulate "}.size())};
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

}  // namespace

TEST_CASE("--list shows what the binary has") {
  const Ran ran = Simulate{}.run({"--list"});
  CHECK(ran.status == 0);
  CHECK(ran.err.empty());
  CHECK(contains(ran.out, "NAME     SHOWS THAT\naborts   Aborts the process"));
  const auto lines = parsed(Simulate{}.run({"--list", "--json"}).out);
  REQUIRE(lines.size() == toy_simulations().size());
  CHECK(lines[1].simulation().name() == "calm");
  CHECK(lines[1].simulation().about() == "Never fails.");
}

TEST_CASE("one seed that passes is told with its draw and trace hash") {
  const Ran ran = Simulate{}.run({"calm", "--seed", "5"});
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "passed calm, seed 5\n"
        "  ran:   20s simulated, 15 events, trace hash 00000000004c4b4f\n"
        "  drawn: fifo, seed 5\n\n");
  CHECK(ran.err.empty());
  CHECK(contains(Simulate{}.run({"calm", "--seed", "5", "--verbose"}).out,
                 "    6.000s full_disk n1 lasts=0.25s amount=1005\n"));
}

TEST_CASE("many marks are counted, and named if somebody wants them") {
  Simulate simulate;
  for (int i = 0; i < 20; ++i) simulate.marks.push_back("never " + std::to_string(i));
  CHECK(contains(simulate.run({"calm", "--seeds", "2"}).out,
                 "Marks never reached: 21; --verbose names them\n"));
  CHECK(contains(simulate.run({"calm", "--seeds", "2", "--verbose"}).out, "never 17, never 18"));
}

TEST_CASE("many seeds end with a summary of commands, faults and marks") {
  const Ran ran = Simulate{}.run({"calm", "stock", "--seeds", "3", "--first", "1"});
  CHECK(ran.status == 0);
  CHECK(ran.out ==
        "SIMULATION  SEEDS  FAILED  SIMULATED  COMMANDS  ACKNOWLEDGED  REFUSED  UNKNOWN\n"
        "calm            3       0         1m        30            21        6        3\n"
        "stock           3       0         1m        30            21        6        3\n"
        "\n"
        "Faults injected: other 12, pause 36\n"
        "Marks reached: a toy ran 6, an even seed 4\n"
        "Marks never reached: a thing that never happens\n");
  CHECK(contains(ran.err, "troupe: seeds from 1 on; "));
  CHECK(contains(ran.err, "troupe: 6 of 6 runs, 0 failures, "));
}

TEST_CASE("a fresh first seed is printed, with how to take it again") {
  const Ran ran = Simulate{}.run({"calm", "--seeds", "2", "--json"});
  CHECK(ran.status == 0);
  const auto lines = parsed(ran.out);
  REQUIRE(lines.size() == 3);
  const std::string first = std::to_string(lines[0].run().seed());
  CHECK(contains(ran.err, "seeds from " + first + " on; --first " + first + " takes the same"));
  CHECK(lines[1].run().seed() == lines[0].run().seed() + 1);
  CHECK(lines[2].summary().first_seed() == lines[0].run().seed());
  const auto others = parsed(Simulate{}.run({"calm", "--seeds", "1", "--json"}).out);
  CHECK(others[0].run().seed() != lines[0].run().seed());
}

TEST_CASE("a command that repeats a run names the program as it was called") {
  Simulate simulate;
  simulate.program = "my tools/shop";
  const Ran ran = simulate.run({"ledger", "--seed", "7"});
  CHECK(contains(ran.out, "  again: 'my tools/shop' simulate ledger --seed 7\n"));
  const auto lines = parsed(simulate.run({"ledger", "--seed", "7", "--json"}).out);
  CHECK(lines[0].run().failure().replay() == "'my tools/shop' simulate ledger --seed 7");
}

TEST_CASE("a failed seed is told with replay, check, last faults and the end of the log") {
  const Ran ran = Simulate{}.run({"ledger", "--seed", "7"});
  CHECK(ran.status == 1);
  CHECK(
      ran.out.starts_with("FAILED ledger, seed 7: model\n"
                          "  again: troupe simulate ledger --seed 7\n"
                          "  at:    6.5s of 20s simulated, 17 events, trace hash 00000000006acfd5\n"
                          "  drawn: fifo, seed 7\n"
                          "\n"
                          "  expected 3\n"
                          "  found    4\n"
                          "\n"
                          "  faults before it\n"
                          "    1.000s pause n1 lasts=0.25s\n"));
  CHECK(contains(ran.out, "    6.000s full_disk n1 lasts=0.25s amount=1007\n"));
  CHECK(!contains(ran.out, "7.000s"));  // came later
  CHECK(contains(ran.out,
                 "\n  the last 40 of 60 lines of the log; --verbose prints all\n"
                 "  line 1\n  line 21\n"));
  CHECK(contains(ran.out, "\n  line 60\n"));
  const Ran whole = Simulate{}.run({"ledger", "--seed", "7", "--verbose"});
  CHECK(contains(whole.out, "\n  line 2\n"));
}

TEST_CASE("of many failures the first are told in full, later ones in a line") {
  const Ran ran = Simulate{}.run({"fragile", "--seeds", "5", "--first", "11"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "FAILED fragile, seed 13: model\n  again: "));
  CHECK(contains(ran.out, "FAILED fragile, seed 14: model; troupe simulate fragile --seed 14\n"));
  CHECK(contains(ran.out, "fragile         5       5 "));
}

TEST_CASE("a run whose process died is told with its last words and the end of its trace") {
  const Ran ran = Simulate{}.run({"aborts", "--seed", "3"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "FAILED aborts, seed 3: crash: SIGABRT\n"));
  CHECK(contains(ran.out, "invariant of seed 3 broke\n"));
  CHECK(contains(ran.out, "\n  faults of the plan\n    1.000s pause n1"));
  CHECK(contains(ran.out, "\n  events of the trace\n  event 0 of aborts\n"));
}

TEST_CASE("a run that hangs is a failure") {
  const Ran ran = Simulate{}.run({"hangs", "--seed", "2", "--limit", "200ms"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "FAILED hangs, seed 2: hang\n"));
}

TEST_CASE("what is printed on standard output does not depend on the number of jobs") {
  const std::vector<std::string> words{"ledger", "fragile", "aborts", "--seeds",
                                       "9",      "--first", "1"};
  std::string outputs[2];
  for (const int jobs : {1, 3}) {
    auto with_jobs = words;
    with_jobs.insert(with_jobs.end(), {"--jobs", std::to_string(jobs)});
    const Ran ran = Simulate{}.run(with_jobs);
    CHECK(ran.status == 1);
    outputs[jobs / 3] = ran.out;
  }
  CHECK(outputs[0] == outputs[1]);
}

TEST_CASE("--json prints an object for each run and one for all") {
  const Ran ran = Simulate{}.run({"ledger", "aborts", "--seeds", "2", "--first", "13", "--json"});
  CHECK(ran.status == 1);
  const auto lines = parsed(ran.out);
  REQUIRE(lines.size() == 5);
  const RunReport& passed = lines[0].run();
  CHECK(passed.simulation() == "ledger");
  CHECK(passed.seed() == 13);
  CHECK(passed.ok());
  CHECK(passed.hash() == "0000000000c65d67");
  CHECK(passed.simulated_seconds() == 20);
  CHECK(passed.acknowledged() == 7);
  CHECK(passed.injected(1).name() == "pause");
  CHECK(passed.injected(1).count() == 6);
  CHECK(!passed.has_failure());
  const RunReport& failed = lines[1].run();
  CHECK(failed.simulation() == "aborts");
  CHECK(!failed.ok());
  CHECK(failed.failure().check() == "crash: SIGABRT");
  CHECK(failed.failure().replay() == "troupe simulate aborts --seed 13");
  CHECK(failed.failure().plan_size() == 8);
  CHECK(failed.failure().plan(2) == "3.000s kill n1 lasts=0.25s");
  CHECK(failed.failure().printed(0) == "invariant of seed 13 broke");
  CHECK(failed.failure().log(0) == "event 0 of aborts");
  const SummaryReport& summary = lines[4].summary();
  CHECK(summary.first_seed() == 13);
  CHECK(summary.seeds() == 4);
  CHECK(summary.failures() == 1);
  CHECK(!summary.interrupted());
  REQUIRE(summary.simulations_size() == 2);
  CHECK(summary.simulations(1).failures() == 1);
  CHECK(summary.marks(0).name() == "a thing that never happens");
  CHECK(summary.marks(0).count() == 0);
}

TEST_CASE("texts that are no UTF-8 do not break the JSON") {
  Simulate command;
  command.run_one = [](const Simulation&, const RunOptions&) {
    Outcome outcome;
    outcome.failure = Failure{"model", "found \xff\xfe", {}};
    return outcome;
  };
  const auto lines = parsed(command.run({"calm", "--seed", "1", "--json"}).out);
  CHECK(lines.at(0).run().failure().what() == "found ??");
}

TEST_CASE("the command that a failure gives fails in the same way") {
  const Ran ran = Simulate{}.run(
      {"fragile", "--seeds", "1", "--first", "5", "--faults", "kill,full_disk", "--json"});
  const std::string replay = parsed(ran.out).at(0).run().failure().replay();
  CHECK(replay == "troupe simulate fragile --seed 5 --faults kill,full_disk");
  CHECK(Simulate{}.run(words_of(replay)).status == 1);
}

TEST_CASE("--faults none and --plan decide which faults there are") {
  CHECK(Simulate{}.run({"fragile", "--seed", "5"}).status == 1);
  CHECK(Simulate{}.run({"fragile", "--seed", "5", "--faults", "none"}).status == 0);
  const TemporaryFolder folder;
  const std::string file = folder.write("a plan", "1s kill n1 lasts=1s\n2s pause n1 lasts=1s\n");
  CHECK(Simulate{}.run({"fragile", "--seed", "5", "--plan", file}).status == 0);
  folder.write("a plan", "1s kill n1 lasts=1s\n2s full_disk n1 lasts=1s amount=0\n");
  const Ran ran = Simulate{}.run({"fragile", "--seed", "5", "--plan", file});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out, "--seed 5 --plan '" + file + "'\n"));
  CHECK(contains(ran.out, "    2.000s full_disk n1 lasts=1s amount=0\n"));
}

TEST_CASE("a plan of standard input is part of the command that runs the seed again") {
  std::istringstream plan{"1s kill n1 lasts=1s\n2s full_disk n1 lasts=1s amount=0\n"};
  auto* const input = std::cin.rdbuf(plan.rdbuf());
  const Ran ran = Simulate{}.run({"fragile", "--seed", "5", "--plan", "-"});
  std::cin.rdbuf(input);
  CHECK(ran.status == 1);
  CHECK(contains(ran.out,
                 "  again: troupe simulate fragile --seed 5 --plan - <<'END'\n"
                 "1.000s kill n1 lasts=1s\n2.000s full_disk n1 lasts=1s amount=0\nEND\n"));
}

TEST_CASE("--shrink prints the smallest plan as a command that brings it along") {
  const Ran ran = Simulate{}.run({"fragile", "--seed", "4", "--shrink"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out,
                 "Shrinking fragile, seed 4: 2 faults of 8 left, each of which is needed ("));
  CHECK(contains(ran.out,
                 "Again:\n\n"
                 "troupe simulate fragile --seed 4 --plan - <<'END'\n"
                 "3.000s kill n1 lasts=0.25s\n"
                 "6.000s full_disk n1 lasts=0.25s amount=1004\n"
                 "END\n"));
  const auto lines = parsed(Simulate{}.run({"fragile", "--seed", "4", "--shrink", "--json"}).out);
  REQUIRE(lines.size() == 3);
  CHECK(lines[1].shrunk().end() == "minimal");
  CHECK(lines[1].shrunk().faults_before() == 8);
  CHECK(lines[1].shrunk().plan_size() == 2);
}

TEST_CASE("--shrink of a failure that needs no fault says so") {
  const Ran ran = Simulate{}.run({"ledger", "--seeds", "9", "--first", "1", "--shrink"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.out,
                 "ledger, seed 7: it fails without any fault (2 runs). Again:\n\n"
                 "troupe simulate ledger --seed 7 --plan /dev/null\n"));
  CHECK(Simulate{}.run({"ledger", "--seed", "7", "--plan", "/dev/null"}).status == 1);
}

TEST_CASE("--shrink of a seed that passes is a mistake; of many seeds that pass it is none") {
  const Ran one = Simulate{}.run({"calm", "--seed", "4", "--shrink"});
  CHECK(one.status == 2);
  CHECK(contains(one.err, "troupe: no seed failed, so there is nothing to shrink\n"));
  CHECK(Simulate{}.run({"calm", "--seeds", "4", "--shrink"}).status == 0);
}

TEST_CASE("--trace writes every event of the only run, or of the first that failed") {
  const TemporaryFolder folder;
  const std::string file = folder.path() + "/trace.txt";
  const auto trace = [&] {
    std::ifstream stream{file};
    return std::string{std::istreambuf_iterator<char>{stream}, {}};
  };
  Ran ran = Simulate{}.run({"calm", "--seed", "1", "--trace", file});
  CHECK(ran.status == 0);
  CHECK(ran.err == "troupe: the trace of calm, seed 1 is in " + file + "\n");
  CHECK(trace() == "event 0 of calm\nevent 1 of calm\nevent 2 of calm\nevent 3 of calm\n");
  ran = Simulate{}.run({"aborts", "--seeds", "5", "--first", "1", "--trace", file});
  CHECK(ran.status == 1);
  CHECK(contains(trace(), "event 5 of aborts\n"));
  std::filesystem::remove(file);
  ran = Simulate{}.run({"calm", "--seeds", "2", "--trace", file});
  CHECK(contains(ran.err, "no seed failed, so no trace was written"));
  const std::string page = folder.path() + "/page.html";
  ran = Simulate{}.run({"calm", "--seed", "1", "--trace", page});
  std::ifstream written{page};
  CHECK(std::string{std::istreambuf_iterator<char>{written}, {}} == "<p>calm 1</p>");
  CHECK(!std::filesystem::exists(file));
}

TEST_CASE("a traced run that ends otherwise than the run before is a failure") {
  Simulate command;
  command.run_one = [](const Simulation& simulation, const RunOptions& options) {
    Outcome outcome = run_toy(simulation, options);
    if (options.trace) ++outcome.hash;
    return outcome;
  };
  const TemporaryFolder folder;
  const Ran ran = command.run({"calm", "--seed", "1", "--trace", folder.path() + "/t"});
  CHECK(ran.status == 1);
  CHECK(contains(ran.err, "trace hash is not that of the run before"));
}

TEST_CASE("control characters of a simulation do not reach the terminal") {
  Simulate command;
  command.run_one = [](const Simulation&, const RunOptions&) {
    Outcome outcome;
    outcome.draw = "\x1b[1m";
    outcome.failure = Failure{"model\x1b", "what\x1b[2J\nmore", {}};
    outcome.log = "\x1b[3m\n";
    return outcome;
  };
  CHECK(!contains(command.run({"calm", "--seed", "1", "--verbose"}).out, "\x1b"));
}

TEST_CASE("--for without a number of seeds goes on until time is up") {
  const Ran ran = Simulate{}.run({"calm", "--for", "300ms", "--json"});
  CHECK(ran.status == 0);
  const auto lines = parsed(ran.out);
  CHECK(lines.size() > 3);
  CHECK(lines.back().summary().elapsed_seconds() >= 0.3);
}

TEST_CASE("a signal ends it with a summary of what was done") {
  Simulate command;
  command.run_one = [parent = getpid()](const Simulation& simulation, const RunOptions& options) {
    if (options.seed == 3) kill(parent, SIGINT);
    return run_toy(simulation, options);
  };
  const Ran ran = command.run({"calm", "--seeds", "100000", "--first", "1", "--json"});
  CHECK(ran.status == 130);
  const auto lines = parsed(ran.out);
  CHECK(lines.back().summary().interrupted());
  CHECK(lines.back().summary().seeds() >= 1);
  CHECK(lines.back().summary().seeds() < 100000);
  CHECK(contains(ran.err, "stopped by a signal"));
}

}  // namespace troupe::simulations
