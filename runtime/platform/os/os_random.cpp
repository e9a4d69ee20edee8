#include "runtime/platform/os/os_random.hpp"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace troupe::runtime {
namespace {

// getrandom(2) never interrupts nor shortens an answer of up to 256 bytes.
struct Buffer {
  std::array<std::uint64_t, 32> numbers;
  std::size_t used = 32;
};
static_assert(sizeof(Buffer::numbers) == 256);

void fill(Buffer& buffer) {
  ssize_t count = -1;
  do {
    count = ::getrandom(buffer.numbers.data(), sizeof(buffer.numbers), 0);
  } while (count < 0 && errno == EINTR);  // only before the kernel has gathered its first entropy
  // A kernel without getrandom, or a filter that forbids it: no node can make its ids there.
  if (count != sizeof(buffer.numbers))
    throw std::system_error{errno, std::generic_category(), "getrandom"};
  buffer.used = 0;
}

}  // namespace

std::uint64_t OsRandom::next() {
  thread_local Buffer buffer;
  if (buffer.used == buffer.numbers.size()) fill(buffer);
  const auto number = buffer.numbers[buffer.used];
  buffer.numbers[buffer.used++] = 0;  // what was handed out cannot be read from memory later
  return number;
}

}  // namespace troupe::runtime
