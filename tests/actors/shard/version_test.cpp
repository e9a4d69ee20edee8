// Commands that run only if their entity has a certain version.
#include <doctest/doctest.h>

#include "tests/actors/shard/rig.hpp"

namespace troupe::actors::testing {
namespace {

struct VersionRig : Rig {
  VersionRig() { start(); }

  std::shared_ptr<Answer> at(std::uint64_t version, std::optional<MessageId> id = {}) {
    if_version = version;
    auto answer = send(CounterMethod::add, "a", "1", id);
    if_version.reset();
    return answer;
  }
  std::uint64_t version() {
    const auto answer = send(CounterMethod::get, "a", "");
    settle();
    return answer->came() && *answer->result ? (**answer->result).version : 99;
  }
};

TEST_CASE("a command runs only at the version that it names") {
  VersionRig rig;
  CHECK(rig.version() == 0);
  const auto early = rig.at(1);
  const auto first = rig.at(0);
  const auto again = rig.at(0);  // behind one that is not committed yet
  rig.pump();
  CHECK(early->text() == "VERSION_MISMATCH");
  CHECK_FALSE(first->came());
  CHECK_FALSE(again->came());  // what it saw is not committed
  rig.settle();
  CHECK(first->text() == "1");
  const auto drawn = (**first->result).version;
  CHECK(drawn > 0);
  CHECK(again->text() == "VERSION_MISMATCH");
  CHECK(again->result->error().code == Code::failed_precondition);
  CHECK(rig.version() == drawn);
}

TEST_CASE("of two commands that saw the same version one runs, in whatever batch they are") {
  VersionRig rig;
  std::uint64_t version = 0;
  for (int changes = 0; changes < 20; ++changes) {
    const auto one = rig.at(version);
    if (changes % 2 == 0) rig.settle();
    const auto other = rig.at(version);
    rig.settle();
    CHECK(one->text() == std::to_string(changes + 1));
    CHECK(other->text() == "VERSION_MISMATCH");
    if (changes > 0) CHECK((**one->result).version == version + 1);
    version = (**one->result).version;
  }
}

TEST_CASE("a repetition gets its reply, whatever the version is by then, also after a restart") {
  VersionRig rig;
  const auto id = rig.fresh_id();
  rig.at(0, id);
  rig.settle();
  const auto drawn = rig.version();
  rig.send(CounterMethod::add, "a", "5");
  rig.settle();
  CHECK(rig.at(0, id)->repeated());
  rig.crash();
  rig.start();
  const auto repeated = rig.at(0, id);
  rig.settle();
  CHECK(repeated->repeated());
  CHECK(repeated->text() == "1");
  CHECK(rig.version() == drawn + 1);
}

TEST_CASE("the version outlives a restart, and what changes nothing leaves it") {
  VersionRig rig;
  rig.send(CounterMethod::add, "a", "1");
  rig.settle();
  const auto drawn = rig.version();
  for (int i = 0; i < 2; ++i) rig.send(CounterMethod::add, "a", "1");
  rig.send(CounterMethod::fail, "a", "");
  rig.settle();
  CHECK(rig.version() == drawn + 2);
  rig.crash();
  rig.start();
  CHECK(rig.version() == drawn + 2);
  const auto stale = rig.send(CounterMethod::get, "a", "", {}, true);
  rig.settle();
  REQUIRE(stale->came());
  CHECK((**stale->result).version == drawn + 2);
}

TEST_CASE("an entity that was deleted and made again has none of its former versions") {
  VersionRig rig;
  rig.at(0);
  rig.settle();
  const auto former = rig.version();
  rig.send(CounterMethod::reset, "a", "");
  const auto gone = rig.at(former);
  rig.settle();
  CHECK(gone->text() == "VERSION_MISMATCH");
  CHECK(rig.version() == 0);
  rig.at(0);
  rig.settle();
  CHECK(rig.version() != former);
  const auto late = rig.at(former);
  rig.settle();
  CHECK(late->text() == "VERSION_MISMATCH");
}

}  // namespace
}  // namespace troupe::actors::testing
