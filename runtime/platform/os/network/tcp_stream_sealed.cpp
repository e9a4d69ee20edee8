// What a TcpStream does only if it is secured.
#include <utility>

#include "runtime/platform/os/network/tcp_stream.hpp"

namespace troupe::runtime {
namespace {

// Encrypted for one system call.
constexpr std::size_t sealed_bytes_max = 64 * 1024;

}  // namespace

bool TcpStream::seal() {
  while (!sealing_.empty() && sealed_bytes_ < sealed_bytes_max) {
    const std::string_view rest = std::string_view{sealing_.front()}.substr(sealing_offset_);
    const auto part = rest.substr(0, sealed_bytes_max - sealed_bytes_);
    if (const auto sealed = session_->seal(part); !sealed) {
      fail(sealed.error(), true);
      return false;
    }
    sealed_bytes_ += part.size();
    sealing_offset_ += part.size();
    if (part.size() < rest.size()) break;
    sealing_.pop_front();
    sealing_offset_ = 0;
  }
  sending_.push_back(session_->take_output());
  return true;
}

// False once nothing more is to be read.
bool TcpStream::deliver_sealed(std::string_view bytes) {
  auto& room = loop_->opened_buffer();
  const auto opened = session_->open(bytes, room);
  if (opened.count > 0 && !deliver({room.data(), opened.count})) return false;
  switch (opened.input) {
    case TlsSession::Input::goes_on:
      return true;
    case TlsSession::Input::ended:
      input_ended();
      return false;
    case TlsSession::Input::broken:
      fail(unavailable("CONNECTION_LOST", "the secured connection with " + remote_.to_string() +
                                              " cannot go on: " + opened.why),
           true);
      return false;
  }
  return false;
}

void TcpStream::socket_ended() {
  bool cut_short = false;
  if (session_ && !lingering_) {
    const std::lock_guard lock{mutex_};
    cut_short = phase_ == Phase::open;
  }
  if (!cut_short) return input_ended();
  fail(unavailable("CONNECTION_LOST", "the secured connection with " + remote_.to_string() +
                                          " was cut short: it ended unannounced, so bytes may be "
                                          "missing"),
       true);
}

// True: what tells the peer that no more comes waits to be sent. Once, and on secured streams only.
bool TcpStream::say_goodbye() {
  if (!session_ || std::exchange(said_goodbye_, true)) return false;
  session_->say_goodbye();
  if (!session_->has_output()) return false;
  sending_.push_back(session_->take_output());
  return true;
}

}  // namespace troupe::runtime
