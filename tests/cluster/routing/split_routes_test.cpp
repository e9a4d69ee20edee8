// Calls for keys whose shard has been split.
#include "tests/cluster/routing/router_rig.hpp"

namespace troupe::cluster::test {
namespace {

Error bucket_moved() {
  return unavailable("BUCKET_MOVED", "it has another shard now");
}

const std::string& books_name() {
  return books().name;
}

// The bucket of the key that the rig calls.
std::uint32_t bucket() {
  return bucket_of(books_name(), "dune");
}

}  // namespace

TEST_CASE("a call that a shard does not take any more goes to the one that has its bucket") {
  Rig rig;
  rig.call();
  const Asked first = rig.next();
  rig.router.split(books_name(), 1, bucket(), 4096, {"n3", "n4"});
  first.say(bucket_moved(), "n2");
  const Asked second = rig.next();  // at once
  CHECK(second.node == "n3");
  CHECK(id_of(second.command) == id_of(first.command));
  second.say(reply("lent"));
  CHECK(rig.heard.at(0));
  CHECK(rig.router.in_flight() == 0);
  rig.call();
  CHECK(rig.next().node == "n3");
}

TEST_CASE("a router that has not heard of a split asks on, and finds the shard that others name") {
  Rig rig;
  rig.call();
  rig.next().say(bucket_moved(), "n2");
  CHECK(rig.asked.empty());
  rig.later->run_one();
  rig.next().say(unavailable("SHARD_NOT_HERE", "n2 has no replica"), "n9");
  CHECK(rig.next().node == "n9");
}

TEST_CASE("of two owners of a bucket the one with the higher number is right, in any order") {
  Rig rig;
  rig.router.split(books_name(), 2, bucket(), bucket() + 1, {"n4"});
  rig.router.split(books_name(), 1, 0, 4096, {"n3"});  // older
  rig.router.range(books_name(), {0, 1});              // older still
  rig.call();
  CHECK(rig.next().node == "n4");
  rig.router.place(books_name(), 2, {"n5"});
  rig.call();
  CHECK(rig.next().node == "n5");
  rig.router.split(books_name(), 2, bucket(), bucket() + 1, {"n4"});  // told once more
  rig.call();
  CHECK(rig.next().node == "n5");
}

TEST_CASE("the directory's ranges are taken over for shards whose places are known") {
  Rig rig;
  rig.router.place(books_name(), 1, {"n7"});
  rig.router.range(books_name(), {0, bucket()});
  rig.call();
  CHECK(rig.next().node == "n7");
  rig.router.range("shelf.v1.Unknown", {0, 1});
  rig.router.range(books_name(), {0, bucket(), 1});
  rig.call();
  CHECK(rig.next().node == "n7");
}

}  // namespace troupe::cluster::test
