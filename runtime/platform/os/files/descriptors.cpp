#include "runtime/platform/os/files/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>

namespace troupe::runtime {
namespace {

// Kept for files and for peers: an eighth, within these.
constexpr std::uint64_t spare_min = 32;
constexpr std::uint64_t spare_max = 1024;

}  // namespace

std::uint64_t descriptors_max() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return UINT64_MAX;
  return limit.rlim_cur;
}

bool descriptors_scarce(int newest) {
  const std::uint64_t most = descriptors_max();
  const std::uint64_t spare = std::clamp(most / 8, spare_min, spare_max);
  return static_cast<std::uint64_t>(newest) + spare >= most;
}

bool descriptors_scarce() {
  const int newest = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
  if (newest < 0) return true;
  ::close(newest);
  return descriptors_scarce(newest);
}

}  // namespace troupe::runtime
