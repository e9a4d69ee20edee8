// Frames, and what a reader does with bytes that are none.
#include "cluster/mesh/frame.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "simulations/world/random.hpp"

namespace troupe::cluster::tests {

namespace {

using simulations::Domain;
using simulations::RandomStream;

struct Read {
  std::vector<std::string> frames;  // kind, lane and payload
  bool failed = false;
  std::size_t held_max = 0;
  friend bool operator==(const Read& one, const Read& other) {
    return one.frames == other.frames && one.failed == other.failed;
  }
};

// Feeds bytes in pieces of at most `piece_max`.
Read read_in_pieces(std::string_view bytes, std::size_t piece_max, RandomStream& random) {
  FrameReader reader;
  Read read;
  while (!bytes.empty() && !read.failed) {
    const auto size = std::min<std::size_t>(bytes.size(), random.between(1, piece_max));
    const auto result = reader.read(bytes.substr(0, size), [&](const Frame& frame) {
      read.frames.push_back(std::to_string(static_cast<int>(frame.kind)) + '/' +
                            std::to_string(static_cast<int>(frame.lane)) + '/' +
                            std::string{frame.payload});
      return Result<void>{};
    });
    read.failed = !result;
    if (!result) CHECK(result.error().reason == "FRAME_MALFORMED");
    read.held_max = std::max(read.held_max, reader.held());
    bytes.remove_prefix(size);
  }
  return read;
}

std::string random_bytes(std::size_t count, RandomStream& random) {
  std::string bytes(count, '\0');
  for (auto& byte : bytes) byte = static_cast<char>(random.next());
  return bytes;
}

}  // namespace

TEST_CASE("frames come out as they went in, however the stream is cut") {
  RandomStream random{1, Domain::scenario, 0, 0};
  std::string bytes;
  std::vector<std::string> sent;
  for (int i = 0; i < 50; ++i) {
    const auto payload = random_bytes(random.between(0, 300), random);
    const auto lane = static_cast<Lane>(random.between(0, 3));
    append_frame(bytes, FrameKind::test, lane, payload.substr(0, payload.size() / 2),
                 payload.substr(payload.size() / 2));
    sent.push_back("255/" + std::to_string(static_cast<int>(lane)) + '/' + payload);
  }
  for (const std::size_t piece_max : {1U, 3U, 7U, 100U, 100'000U}) {
    const auto read = read_in_pieces(bytes, piece_max, random);
    CHECK_FALSE(read.failed);
    CHECK(read.frames == sent);
  }
}

TEST_CASE("a frame that is too large for its lane is refused before its payload comes") {
  for (const auto lane : {Lane::control, Lane::consensus, Lane::call, Lane::bulk}) {
    std::string bytes;
    append_frame(bytes, FrameKind::test, lane, std::string(payload_bytes_max(lane) + 1, 'x'));
    FrameReader reader;
    const auto result = reader.read(std::string_view{bytes}.substr(0, frame_header_bytes),
                                    [](const Frame&) { return Result<void>{}; });
    REQUIRE(!result);
    CHECK(result.error().reason == "FRAME_MALFORMED");
  }
}

TEST_CASE("heads of calls that are cut off are refused") {
  CHECK_FALSE(split_head(""));
  CHECK_FALSE(split_head("x"));
  CHECK_FALSE(split_head(with_head("abc").substr(0, 4)));
  const auto payload = with_head("abc") + "body";
  const auto parts = split_head(payload);
  REQUIRE(parts);
  CHECK(parts->head == "abc");
  CHECK(parts->body == "body");
}

TEST_CASE("random bytes are frames or an error, the same for every cut of the stream") {
  std::size_t failed = 0;
  for (std::uint64_t seed = 1; seed <= 3000; ++seed) {
    RandomStream random{seed, Domain::scenario, 0, 1};
    std::string bytes;
    for (auto frames = random.between(0, 3); frames > 0; --frames)
      append_frame(bytes, static_cast<FrameKind>(random.between(0, 255)),
                   static_cast<Lane>(random.between(0, 3)),
                   random_bytes(random.between(0, 40), random));
    for (auto flips = random.between(0, 4); flips > 0 && !bytes.empty(); --flips)
      bytes[random.between(0, bytes.size() - 1)] = static_cast<char>(random.next());
    bytes += random_bytes(random.between(0, 20), random);
    const auto whole = read_in_pieces(bytes, bytes.size() + 1, random);
    const auto bits = read_in_pieces(bytes, 3, random);
    CHECK(whole == bits);
    CHECK(bits.held_max <= bytes.size());
    failed += whole.failed ? 1 : 0;
  }
  CHECK(failed > 500);
  CHECK(failed < 2900);
}

}  // namespace troupe::cluster::tests
