#include "simulations/world/life.hpp"

namespace troupe::simulations {

void Life::crash(const Error& why) {
  if (over_) return;
  record("crash", why.reason);
  end();
  on_crash(why);
}

void Life::record(std::string_view kind, std::string_view name, std::string_view bytes) {
  if (!over_) trace_.record(loop.now(), node_, name_, kind, name, bytes);
}

}  // namespace troupe::simulations
