// The Date header's value (RFC 9110, section 5.6.7), made anew once a second.
#pragma once

#include <string>
#include <string_view>

#include "runtime/time.hpp"

namespace troupe::cluster {

// Owned by one connection; not for several threads at once.
class HttpDate {
 public:
  // "Sun, 06 Nov 1994 08:49:37 GMT"; valid until the next call.
  std::string_view at(WallTime now);

 private:
  std::chrono::sys_seconds second_ = std::chrono::sys_seconds::min();
  std::string text_;
};

}  // namespace troupe::cluster
