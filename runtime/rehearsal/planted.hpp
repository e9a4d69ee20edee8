// Planted bugs: deliberate mistakes of the product, to see that a rehearsal finds them. A checker
// that misses one is broken.
//
//   if (entry.index <= applied && !TROUPE_PLANTED(entry_applied_twice)) continue;
//
// In every build TROUPE_PLANTED(name) is the constant false and leaves nothing in the object code.
// But in troupe-planted (simulations/planted) and one test (simulations/replication/planted), for
// which such files are compiled once more, with TROUPE_WITH_PLANTED_BUGS: there it says whether
// that bug was switched on. simulations/planted/planted.cpp lists all of them.
//
// It belongs in .cpp files only: a header would be compiled in both ways in one program. Put it
// last in a condition, so that it is asked only where the bug makes a difference.
#pragma once

#ifndef TROUPE_WITH_PLANTED_BUGS

#define TROUPE_PLANTED(which) false

#else

#include "runtime/rehearsal/marks.hpp"

namespace troupe::runtime {

class PlantedBug {
 public:
  explicit PlantedBug(const char* name);
  PlantedBug(const PlantedBug&) = delete;
  PlantedBug& operator=(const PlantedBug&) = delete;

  // Whether it is switched on; then its mark, "planted: NAME", is reached.
  bool bites() {
    if (mark_ != nullptr) mark_->reach();
    return mark_ != nullptr;
  }

  // For the program that has them: the bugs of its code, and switching one on, before any thread.
  const char* name() const { return name_; }
  PlantedBug* next() const { return next_; }
  static PlantedBug* newest();
  void switch_on(Mark& mark) { mark_ = &mark; }
  void switch_off() { mark_ = nullptr; }

 private:
  const char* const name_;
  PlantedBug* const next_;
  Mark* mark_ = nullptr;
};

template <class Place>
struct PlantedBugOf {
  static PlantedBug bug;
};
template <class Place>
PlantedBug PlantedBugOf<Place>::bug{Place::name()};

}  // namespace troupe::runtime

#define TROUPE_PLANTED(which)                                   \
  ([] {                                                         \
    struct Place {                                              \
      static constexpr const char* name() { return #which; }    \
    };                                                          \
    return ::troupe::runtime::PlantedBugOf<Place>::bug.bites(); \
  }())

#endif
