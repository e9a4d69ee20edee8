// What a run with several versions of the program checks at every entry.
#include "simulations/rehearsal/programs.hpp"

#include <doctest/doctest.h>

#include <memory>

#include "cluster/directory/service.hpp"
#include "cluster/directory/table.pb.h"
#include "runtime/wire/batch.pb.h"

namespace troupe::simulations {
namespace {

constexpr const char* newer_format = "shard-split";
constexpr runtime::GroupId some_group = 7;

// Three nodes, all of them up; those that are named say that they read it.
struct Upgrading {
  Upgrading() {
    table.set_version(1);
    for (const char* const name : {"n1", "n2", "n3"}) {
      auto& node = *table.add_nodes();
      node.set_name(name);
      node.set_state(cluster::DirectoryNode::UP);
      programs.install(name, {});
    }
  }
  void says_it_reads(int node) { table.mutable_nodes(node)->add_formats(newer_format); }
  void switch_on() { table.add_formats()->set_name(newer_format); }
  // As the directory's group commits it.
  void commit() {
    table.set_version(table.version() + 1);
    wire::EntityState state;
    state.set_state(table.SerializeAsString());
    wire::Batch batch;
    batch.add_rows()->set_kind(wire::Row::STATE);
    batch.mutable_rows(0)->set_value(state.SerializeAsString());
    programs.handed("n1", cluster::directory_group,
                    std::make_shared<const std::string>(batch.SerializeAsString()));
  }
  // As a shard's group does that is split.
  void hand_out(const std::string& node) {
    wire::Batch batch;
    batch.add_rows()->set_kind(wire::Row::RANGE);
    programs.handed(node, some_group,
                    std::make_shared<const std::string>(batch.SerializeAsString()));
  }
  std::string wrong;
  cluster::DirectoryTable table;
  Programs programs{[this](const std::string& what) { wrong = what; }};
};

bool says(const Upgrading& run, const std::string& what) {
  return run.wrong.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("a format that every program reads is switched on and used") {
  Upgrading run;
  for (int i = 0; i < 3; ++i) {
    run.programs.install("n" + std::to_string(i + 1), {newer_format});
    run.says_it_reads(i);
  }
  run.commit();
  run.switch_on();
  run.commit();
  run.hand_out("n2");
  CHECK(run.wrong.empty());
  CHECK_FALSE(run.programs.is_refused("n2"));
  run.programs.install("n2", {});
  CHECK(run.programs.is_refused("n2"));
  run.hand_out("n2");
  CHECK(says(run, "node n2 was handed an entry of the format shard-split, which its program"));
}

TEST_CASE("a format that is switched on too early is told, whatever nodes say of themselves") {
  Upgrading modest;
  modest.programs.install("n1", {newer_format});
  modest.says_it_reads(0);
  modest.switch_on();
  modest.commit();
  CHECK(says(modest, "node n2 of the cluster says that it reads none"));
  // They say so, and have another program.
  Upgrading boasting;
  for (int i = 0; i < 3; ++i) boasting.says_it_reads(i);
  boasting.switch_on();
  boasting.commit();
  CHECK(says(boasting, "while the program of node n1 could not read it"));
  // Who was removed need not read it.
  Upgrading smaller;
  for (int i = 0; i < 2; ++i) {
    smaller.programs.install("n" + std::to_string(i + 1), {newer_format});
    smaller.says_it_reads(i);
  }
  smaller.table.mutable_nodes(2)->set_state(cluster::DirectoryNode::REMOVED);
  smaller.switch_on();
  smaller.commit();
  CHECK(smaller.wrong.empty());
}

TEST_CASE("what is written of a format before it is switched on is told") {
  Upgrading run;
  run.programs.install("n1", {newer_format});
  run.commit();
  run.hand_out("n1");
  CHECK(says(run, "the format shard-split, which is not switched on"));
}

}  // namespace troupe::simulations
