#include "simulations/campaign/shared_tail.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <new>
#include <system_error>

namespace troupe::simulations {

struct SharedTail::Ring {
  std::size_t written = 0;  // in all; the newest bytes end before written % size
  std::array<char, std::size_t{64} << 10> bytes;
};

SharedTail::SharedTail()
    : ring_([] {
        void* memory =
            mmap(nullptr, sizeof(Ring), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::system_error{errno, std::generic_category(), "mmap"};
        return new (memory) Ring;
      }()),
      buffer_(ring_),
      stream_(&buffer_) {}

SharedTail::~SharedTail() {
  munmap(ring_, sizeof(Ring));
}

std::string SharedTail::text() const {
  const std::size_t size = ring_->bytes.size();
  const std::size_t kept = std::min(ring_->written, size);
  std::string text;
  text.reserve(kept);
  for (std::size_t i = ring_->written - kept; i < ring_->written; ++i)
    text += ring_->bytes[i % size];
  if (ring_->written > size) text.erase(0, text.find('\n') + 1);  // it begins inside a line
  return text;
}

std::streamsize SharedTail::Buffer::xsputn(const char* text, std::streamsize size) {
  auto left = static_cast<std::size_t>(size);
  while (left > 0) {
    const std::size_t at = ring_->written % ring_->bytes.size();
    const std::size_t part = std::min(left, ring_->bytes.size() - at);
    std::memcpy(ring_->bytes.data() + at, text, part);
    ring_->written += part;
    text += part;
    left -= part;
  }
  return size;
}

SharedTail::Buffer::int_type SharedTail::Buffer::overflow(int_type c) {
  if (c == traits_type::eof()) return 0;
  const char byte = traits_type::to_char_type(c);
  xsputn(&byte, 1);
  return c;
}

}  // namespace troupe::simulations
