#include "simulations/faults/fault.hpp"

#include <doctest/doctest.h>

#include <set>

#include "simulations/faults/draw.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;

TEST_CASE("every kind has its shape in its place, and a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < fault_shapes().size(); ++i) {
    const auto& shape = fault_shapes()[i];
    CHECK(static_cast<std::size_t>(shape.kind) == i);
    CHECK(fault_kind(shape.name) == shape.kind);
    names.insert(shape.name);
  }
  CHECK(names.size() == fault_shapes().size());
  CHECK(shape_of(FaultKind::shard_fails).name == "shard_fails");  // the last one
  CHECK_FALSE(fault_kind("flood"));
}

TEST_CASE("plans are written as a person would write them") {
  const FaultPlan plan{
      {FaultKind::full_disk, 12500ms, 2s, "n1", "", 65536},
      {FaultKind::partition, 13s, 1500ms, "n1", "outside", 0},
      {FaultKind::clock_offset, 14s, 0s, "n1", "", -250},
      {FaultKind::handler_throws, 20s + 1ns, 5s, "", "banking.v1.Accounts", 10'000},
  };
  const char* text =
      "12.500s full_disk n1 lasts=2s amount=65536\n"
      "13.000s partition n1 peer=outside lasts=1.5s\n"
      "14.000s clock_offset n1 amount=-250\n"
      "20.000000001s handler_throws service=banking.v1.Accounts lasts=5s amount=10000\n";
  CHECK(to_text(plan) == text);
  CHECK(parse_fault_plan(text).value() == plan);
}

TEST_CASE("what was drawn is read back as it was written, every kind of it") {
  std::set<FaultKind> kinds;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    const auto plan =
        draw_faults(seed, Faults::everything().with_data_loss().with_services({"a.v1.S", "b.v1.T"}),
                    {"n1", "n2", "n3"}, 1s, 100s);
    const auto read = parse_fault_plan(to_text(plan));
    REQUIRE(read);
    REQUIRE(*read == plan);
    for (const auto& fault : plan) kinds.insert(fault.kind);
  }
  CHECK(kinds.size() == fault_shapes().size() - 1);  // one is never drawn
}

TEST_CASE("comments, empty lines, units and any order are read") {
  const auto plan = parse_fault_plan(
      "# what the seed drew\r\n"
      "\n"
      "  2s   kill n1\tlasts=20ms  # down\n"
      "1500us pause n1 lasts=0.5ms\n"
      "3ns reset_link n1 peer=n2");
  REQUIRE(plan);
  CHECK(*plan == FaultPlan{{FaultKind::reset_link, 3ns, 0s, "n1", "n2", 0},
                           {FaultKind::pause, 1500us, 500us, "n1", "", 0},
                           {FaultKind::kill, 2s, 20ms, "n1", "", 0}});
  CHECK(parse_fault_plan("")->empty());
}

TEST_CASE("a plan that is wrong is refused with its line, and what may stand there") {
  const auto why = [](const std::string& text) {
    const auto plan = parse_fault_plan("1s kill n1 lasts=1s\n" + text + "\n");
    REQUIRE_FALSE(plan);
    CHECK(plan.error().reason == "FAULT_PLAN_INVALID");
    CHECK(plan.error().message.starts_with("line 2: "));
    return plan.error().message;
  };
  const auto says = [&](const std::string& text, const std::string& what) {
    CAPTURE(text);
    const auto message = why(text);
    CAPTURE(message);
    CHECK(message.find(what) != std::string::npos);
  };
  says("kill n1 lasts=1s", "'kill' is no time; begin with one");
  says("12 kill n1 lasts=1s", "'12' is no time");
  says("-1s kill n1 lasts=1s", "'-1s' is no time");
  says("1.s kill n1 lasts=1s", "'1.s' is no time");
  says("1.2.3s kill n1 lasts=1s", "is no time");
  says("0.5ns kill n1 lasts=1s", "'0.5ns' is no time");
  says("99999999999s kill n1 lasts=1s", "is no time");
  says("1s flood n1", "'flood' is no kind of fault; kinds are kill, power_cut,");
  says("1s kill", "the node is missing; write TIME kill NODE lasts=TIME");
  says("1s kill lasts=1s", "the node is missing");
  says("1s kill n1", "lasts= is missing");
  says("1s kill n1 lasts=soon", "'soon' is no time");
  says("1s kill n1 lasts=1s amount=2", "'amount=2' has no place here; write TIME kill");
  says("1s partition n1 lasts=1s", "peer= is missing");
  says("1s partition n1 peer= lasts=1s", "peer= has no value");
  says("1s read_error n1 lasts=1s amount=many", "amount=many is no number from 1 to 1000000");
  says("1s read_error n1 lasts=1s amount=2000000", "is no number from 1 to 1000000");
  says("1s read_error n1 lasts=1s", "amount= is missing; write TIME read_error NODE");
  says("1s handler_throws n1 lasts=1s amount=5", "'n1' has no place here");
  says("1s handler_throws lasts=1s amount=5", "service= is missing");
}

}  // namespace
}  // namespace troupe::simulations
