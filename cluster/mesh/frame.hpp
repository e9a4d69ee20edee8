// Frames: what a stream between two nodes is cut into.
//
//   length   4 bytes, little-endian: of the payload
//   kind     1 byte, FrameKind
//   lane     1 byte, Lane
//   payload
//
// What goes wrong while reading comes from the peer and ends the link: every malformed input is an
// INVALID_ARGUMENT with reason FRAME_MALFORMED, and a reader never holds more than one frame of the
// lane's largest size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cluster/mesh/kinds.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

// Which frames go first. Numbers go over the wire.
enum class Lane : std::uint8_t {
  control = 0,    // the mesh's own: hellos, heartbeats, credits
  consensus = 1,  // dropped when too many wait
  call = 2,       // refused when too many wait; needs the receiver's credit
  bulk = 3,       // needs the receiver's credit
};

constexpr std::size_t frame_header_bytes = 6;

// The largest payload of a lane. Those of bulk are small: a consensus frame waits for at most one.
constexpr std::size_t payload_bytes_max(Lane lane) {
  switch (lane) {
    case Lane::control:
      return std::size_t{16} << 10;
    case Lane::bulk:
      return std::size_t{64} << 10;
    default:
      return std::size_t{4} << 20;
  }
}

struct Frame {
  FrameKind kind{};
  Lane lane = Lane::control;
  std::string_view payload;

  std::size_t size() const { return frame_header_bytes + payload.size(); }
};

// `head` and `tail` together are the payload.
void append_frame(std::string& out, FrameKind kind, Lane lane, std::string_view head,
                  std::string_view tail = {});

// A payload that begins with a message: its length in 2 bytes, little-endian, the message, then
// bytes that the mesh does not look into.
std::string with_head(std::string_view message);
struct HeadAndBody {
  std::string_view head;
  std::string_view body;
};
Result<HeadAndBody> split_head(std::string_view payload);

Error frame_malformed(std::string what);

class FrameReader {
 public:
  // Hands every frame that is complete to `take`, whose error ends it. The payload is valid during
  // the call only. After an error nothing more may be read.
  using Take = std::function<Result<void>(const Frame&)>;
  Result<void> read(std::string_view bytes, const Take& take);

  // Bytes of a frame that has not come completely.
  std::size_t held() const { return held_.size(); }

 private:
  // How many bytes were taken.
  static Result<std::size_t> read_whole(std::string_view bytes, const Take& take);

  std::string held_;
};

}  // namespace troupe::cluster
