// Which changes of the nodes that keep the directory may be.
#include "cluster/directory/control.hpp"

#include <doctest/doctest.h>

namespace troupe::cluster {
namespace {

// Names of nodes that are up; "n3-" is down.
struct Keepers {
  Keepers(const std::vector<std::string>& control, const std::vector<std::string>& others) {
    for (const std::string& text : control) add(text, true);
    for (const std::string& text : others) add(text, false);
  }
  void add(const std::string& text, bool control) {
    DirectoryNode node;
    const bool down = text.back() == '-';
    node.set_name(down ? text.substr(0, text.size() - 1) : text);
    node.set_state(down ? DirectoryNode::DOWN : DirectoryNode::UP);
    node.set_control(control);
    if (control) group.members.push_back({node.name(), true});
    put(table, std::move(node));
  }
  DirectoryNode& node(const std::string& name) {
    for (DirectoryNode& one : *table.mutable_nodes())
      if (one.name() == name) return one;
    throw std::logic_error{"no such node"};
  }
  std::string change(const std::string& add, const std::string& remove) {
    ControlChange change;
    change.set_add(add);
    change.set_remove(remove);
    const auto sound = check_control_change(table, control_report(table, group), change);
    return sound ? "" : sound.error().reason;
  }

  DirectoryTable table;
  ControlGroup group;
};

}  // namespace

TEST_CASE("a node comes to keep the directory if it is up and wanted, and goes if it keeps it") {
  Keepers three{{"n1", "n2", "n3"}, {"n4", "n5-", "n6"}};
  CHECK(three.change("n4", "").empty());
  CHECK(three.change("", "n3").empty());
  CHECK(three.change("n4", "n3").empty());
  CHECK(three.change("n9", "") == "DIRECTORY_NODE_UNKNOWN");
  CHECK(three.change("n1", "") == "CONTROL_UNSUITABLE");
  CHECK(three.change("n5", "") == "CONTROL_UNSUITABLE");
  CHECK(three.change("", "n4") == "CONTROL_UNSUITABLE");
  three.node("n4").set_draining(true);
  CHECK(three.change("n4", "") == "CONTROL_UNSUITABLE");
  three.node("n6").set_cordoned(true);
  CHECK(three.change("n6", "") == "CONTROL_UNSUITABLE");
  three.node("n6").set_state(DirectoryNode::REMOVED);
  CHECK(three.change("n6", "") == "DIRECTORY_NODE_UNKNOWN");
}

TEST_CASE("one to five nodes keep the directory") {
  Keepers five{{"n1", "n2", "n3", "n4", "n5"}, {"n6"}};
  CHECK(five.change("n6", "") == "CONTROL_UNSUITABLE");
  CHECK(five.change("n6", "n5").empty());
  Keepers one{{"n1"}, {"n2"}};
  CHECK(one.change("", "n1") == "CONTROL_UNSUITABLE");
  CHECK(one.change("n2", "n1").empty());
  CHECK(one.change("n2", "").empty());
}

TEST_CASE("at each step of a change more than half of the voters are up") {
  Keepers one_down{{"n1", "n2", "n3-"}, {"n4", "n5"}};
  CHECK(one_down.change("", "n1") == "CONTROL_MAJORITY");
  CHECK(one_down.change("", "n3").empty());
  CHECK(one_down.change("n4", "").empty());
  CHECK(one_down.change("n4", "n3").empty());
  CHECK(one_down.change("n4", "n1").empty());  // three of four in between
  Keepers two_down{{"n1", "n2", "n3", "n4-", "n5-"}, {"n6"}};
  CHECK(two_down.change("", "n1") == "CONTROL_MAJORITY");
  CHECK(two_down.change("n6", "n5").empty());
  Keepers even{{"n1", "n2", "n3-", "n4"}, {"n5", "n6-"}};
  CHECK(even.change("", "n1").empty());
  even.node("n4").set_state(DirectoryNode::DOWN);  // no majority is up as it is
  CHECK(even.change("", "n1") == "CONTROL_MAJORITY");
  CHECK(even.change("", "n3").empty());  // which makes one of what is left
}

TEST_CASE("a change waits for the one before, which may be taken back") {
  Keepers three{{"n1", "n2", "n3"}, {"n4", "n5"}};
  three.node("n4").set_control(true);
  for (const bool catching_up : {false, true}) {
    if (catching_up) three.group.members.push_back({"n4", false});
    CHECK(three.change("n5", "") == "CONTROL_CHANGING");
    CHECK(three.change("", "n1") == "CONTROL_CHANGING");
    CHECK(three.change("n5", "n4").empty());
    CHECK(three.change("", "n4").empty());
  }
  three.group.members.back().voter = true;
  CHECK(three.change("", "n1").empty());
  // The one that is to go is still there.
  three.node("n1").set_control(false);
  CHECK(three.change("n5", "") == "CONTROL_CHANGING");
}

TEST_CASE("after a recovery those that are lost are given up or replaced one after the other") {
  Keepers alone{{"n1", "n2-", "n3-"}, {"n4", "n5"}};
  alone.group.members = {{"n1", true}};
  CHECK(alone.change("n4", "n2").empty());
  CHECK(alone.change("", "n2").empty());
  CHECK(alone.change("", "n1") == "CONTROL_MAJORITY");
  CHECK(alone.change("n4", "n1").empty());
}

TEST_CASE("an odd number of them is advised, and more than one") {
  const auto advice = [](Keepers keepers, const std::string& add = "") {
    ControlChange change;
    change.set_add(add);
    return control_advice(keepers.table, change);
  };
  CHECK(advice({{"n1", "n2", "n3"}, {"n4"}}).empty());
  CHECK(advice({{"n1", "n2", "n3"}, {"n4"}}, "n4").find("4 nodes") == 0);
  CHECK(advice({{"n1"}, {"n2", "n3"}}).find("one node alone") == 0);
  CHECK(advice({{"n1"}, {"n2"}}).empty());
  const Keepers three{{"n1", "n2", "n3-"}, {}};
  const auto report = control_report(three.table, {{{"n1", true}, {"n2", false}}, "n1"});
  REQUIRE(report.members_size() == 3);
  CHECK(report.members(0).leader());
  CHECK(report.members(1).catching_up());
  CHECK(report.members(2).state() == "down");
  CHECK_FALSE(report.members(2).voter());
}

}  // namespace troupe::cluster
