// How things are printed.
#include <doctest/doctest.h>

#include <sstream>

#include "cluster/cli/command/balance_table.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/json.hpp"
#include "cluster/cli/command/table.hpp"
#include "cluster/directory/balance_report.hpp"
#include "support.hpp"

namespace troupe::cluster {

TEST_CASE("sizes, times and counts are rounded for people") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1024) == "1.0 KiB");
  CHECK(human_bytes((1ull << 20) - 1) == "1.0 MiB");
  CHECK(human_bytes(~0ull) == "16.0 EiB");
  CHECK(human_seconds(-1) == "0s");
  CHECK(human_seconds(0) == "0s");
  CHECK(human_seconds(59) == "59s");
  CHECK(human_seconds(60) == "1m");
  CHECK(human_seconds(3725) == "1h 2m");
  CHECK(human_seconds(86400 * 12 + 4 * 3600) == "12d 4h");
  CHECK(human_count(0) == "0");
  CHECK(human_count(999) == "999");
  CHECK(human_count(1000) == "1,000");
  CHECK(human_count(1234567) == "1,234,567");
}

TEST_CASE("a table aligns by what is seen, and ends no line with a space") {
  std::ostringstream out;
  CliIo io;
  io.out = &out;
  Table table{{{"NAME"}, {"N", Table::Align::right}, {"NOTE"}}};
  table.add({"äöü", "7", ""});
  table.add({"a\x1b[31m", "1,000", "x\ny\xc2\x9bz"});
  table.print(io);
  CHECK(out.str() ==
        "NAME        N  NOTE\n"
        "äöü         7\n"
        "a [31m  1,000  x y z\n");
}

TEST_CASE("a column that may be left out is there once a row has something in it") {
  Table table{{{"NODE"}, {"GRPC", Table::Align::left, true}, {"PID"}}};
  const auto printed = [&table] {
    std::ostringstream out;
    CliIo io;
    io.out = &out;
    table.print(io);
    return out.str();
  };
  table.add({"n1", "", "7"});
  CHECK(printed() == "NODE  PID\nn1    7\n");
  table.add({"n2", "a:1", "8"});
  CHECK(printed() == "NODE  GRPC  PID\nn1          7\nn2    a:1   8\n");
}

TEST_CASE("a plan is a table of what changes and why, with what cannot be done") {
  BalancePlan plan;
  const auto add = [&](std::string from, std::string to, BalanceReason reason) -> BalanceStep& {
    BalanceStep& step = plan.steps.emplace_back();
    step.service = "a.v1.B";
    step.shard = static_cast<std::uint32_t>(plan.steps.size());
    step.from = std::move(from);
    step.to = std::move(to);
    step.reason = reason;
    return step;
  };
  add("", "", BalanceReason::placed).places = {"n1", "n2"};
  add("n3", "n4", BalanceReason::repair);
  add("", "n4", BalanceReason::factor);
  add("n1", "n2", BalanceReason::leaders).leads = true;
  plan.held.push_back({"a.v1.B", 7, "n3", "drain: no other node can have the replica"});
  plan.waits_for = "n5";
  std::ostringstream out, err;
  CliIo io;
  io.out = &out;
  io.err = &err;
  print_balance(io, report_of(plan));
  CHECK(out.str() ==
        "SERVICE  SHARD  WHAT     CHANGE     WHY\n"
        "a.v1.B       1  replica  -> n1, n2  the shard is nowhere yet\n"
        "a.v1.B       2  replica  n3 -> n4   n3 has been down for too long\n"
        "a.v1.B       3  replica  -> n4      the factor asks for one more\n"
        "a.v1.B       4  leader   n1 -> n2   an even share of leaders\n"
        "\n"
        "SERVICE  SHARD  NODE  CANNOT BE DONE\n"
        "a.v1.B       7  n3    drain: no other node can have the replica\n");
  CHECK(err.str() ==
        "3 replicas to move, 1 leader to change\n"
        "evenness waits for node n5, which is down and may come back, or has just come up\n");
  const std::string json = to_json(report_of(plan));
  CHECK(json.find(R"("places":["n1","n2"])") != std::string::npos);
  CHECK(json.find(R"("from":"n1","to":"n2","leads":true,"reason":"leaders")") != std::string::npos);
  CHECK(json.find(R"("waitsFor":"n5")") != std::string::npos);
}

namespace {

CliIo with_environment(std::map<std::string, std::string> variables) {
  CliIo io;
  io.environment =
      [variables = std::move(variables)](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional{found->second};
  };
  return io;
}

}  // namespace

TEST_CASE("the locale decides whether box characters are written") {
  const auto utf8 = [](std::map<std::string, std::string> variables) {
    return utf8_locale(with_environment(std::move(variables)));
  };
  CHECK(!utf8({}));
  CHECK(utf8({{"LANG", "C.UTF-8"}}));
  CHECK(utf8({{"LANG", "de_DE.utf8"}}));
  CHECK(!utf8({{"LANG", "C"}}));
  CHECK(!utf8({{"LC_ALL", "C"}, {"LANG", "C.UTF-8"}}));
  CHECK(utf8({{"LC_ALL", ""}, {"LC_CTYPE", "en_GB.UTF-8"}, {"LANG", "C"}}));
}

TEST_CASE("colour needs a terminal that can show it and a user who wants it") {
  CHECK(colour_wanted(with_environment({{"TERM", "xterm"}}), true));
  CHECK(colour_wanted(with_environment({{"TERM", "xterm"}, {"NO_COLOR", ""}}), true));
  CHECK(!colour_wanted(with_environment({{"TERM", "xterm"}}), false));
  CHECK(!colour_wanted(with_environment({{"TERM", "xterm"}, {"NO_COLOR", "1"}}), true));
  CHECK(!colour_wanted(with_environment({{"TERM", "dumb"}}), true));
  CHECK(!colour_wanted(with_environment({}), true));
}

}  // namespace troupe::cluster
