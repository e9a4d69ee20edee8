#include "simulations/world/life.hpp"

namespace troupe::simulations {

void Life::end() {
  over_ = true;
  std::exchange(waiting_, {}).clear();
}

void Life::pause() {
  if (over_) return;
  paused_ = true;
  resuming_ = false;
}

// It counts as paused until what waited has happened, so that nothing that comes later overtakes.
void Life::resume() {
  if (!paused_ || std::exchange(resuming_, true)) return;
  loop.after(Duration{0}, [self = shared_from_this()] {
    if (!std::exchange(self->resuming_, false) || self->over_) return;
    self->paused_ = false;
    for (const auto& what : std::exchange(self->waiting_, {})) {
      if (!self->over_) what();
    }
  });
}

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
