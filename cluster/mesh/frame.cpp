#include "cluster/mesh/frame.hpp"

#include <utility>

namespace troupe::cluster {
namespace {

void append_little_endian(std::string& out, std::size_t number, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(number >> 8 * i & 0xff));
}

std::size_t little_endian(std::string_view bytes) {
  std::size_t number = 0;
  for (std::size_t i = bytes.size(); i > 0; --i)
    number = number << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return number;
}

// Room that a link which once took a large frame does not keep.
constexpr std::size_t kept_bytes_max = std::size_t{64} << 10;

}  // namespace

void append_frame(std::string& out, FrameKind kind, Lane lane, std::string_view head,
                  std::string_view tail) {
  append_little_endian(out, head.size() + tail.size(), 4);
  out.push_back(static_cast<char>(kind));
  out.push_back(static_cast<char>(lane));
  out += head;
  out += tail;
}

std::string with_head(std::string_view message) {
  std::string out;
  out.reserve(2 + message.size());
  append_little_endian(out, message.size(), 2);
  out += message;
  return out;
}

Result<HeadAndBody> split_head(std::string_view payload) {
  if (payload.size() < 2) return frame_malformed("a call without its head");
  const auto size = little_endian(payload.substr(0, 2));
  payload.remove_prefix(2);
  if (size > payload.size()) return frame_malformed("the head of a call is cut off");
  return HeadAndBody{payload.substr(0, size), payload.substr(size)};
}

Error frame_malformed(std::string what) {
  return invalid_argument("FRAME_MALFORMED", std::move(what));
}

Result<std::size_t> FrameReader::read_whole(std::string_view bytes, const Take& take) {
  std::size_t taken = 0;
  while (bytes.size() - taken >= frame_header_bytes) {
    const auto rest = bytes.substr(taken);
    const auto number = static_cast<std::uint8_t>(rest[5]);
    if (number > static_cast<std::uint8_t>(Lane::bulk))
      return frame_malformed("there is no lane " + std::to_string(number));
    const auto lane = static_cast<Lane>(number);
    const auto size = little_endian(rest.substr(0, 4));
    if (size > payload_bytes_max(lane))
      return frame_malformed("a frame of lane " + std::to_string(number) + " says that it has " +
                             std::to_string(size) + " bytes");
    if (rest.size() < frame_header_bytes + size) break;
    const Frame frame{static_cast<FrameKind>(rest[4]), lane, rest.substr(frame_header_bytes, size)};
    TROUPE_CHECK(take(frame));
    taken += frame.size();
  }
  return taken;
}

Result<void> FrameReader::read(std::string_view bytes, const Take& take) {
  if (held_.empty()) {
    TROUPE_TRY(taken, read_whole(bytes, take));
    held_ = bytes.substr(taken);
    return {};
  }
  held_ += bytes;
  TROUPE_TRY(taken, read_whole(held_, take));
  held_.erase(0, taken);
  if (held_.empty() && held_.capacity() > kept_bytes_max) held_.shrink_to_fit();
  return {};
}

}  // namespace troupe::cluster
