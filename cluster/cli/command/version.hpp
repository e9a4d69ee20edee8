// What `troupe --version` prints: this build and what it is built on.
#pragma once

#include <string>

namespace troupe::cluster {

std::string version();       // "0.1.0"
std::string version_text();  // several lines

}  // namespace troupe::cluster
