// Marks tie a line of the product to the runs that reach it (after TigerBeetle's marks.zig): a
// rehearsal that never comes where a rare thing happens has not rehearsed it.
//
//   TROUPE_SOMETIMES("a repetition found its reply in memory");
//   TROUPE_SOMETIMES_IF(!waiting.empty(), "a checkpoint ran while commands waited");
//
// The name is a sentence of what happened, true of the line. The same code runs in production,
// where nobody asks. A mark costs a load, and a store when it is reached first. Many marks may have
// one name: it is reached when one of them is.
//
// The marks of the code that is linked into the program are known before main(), reached or not.
// A mark stands in a function (a lambda, a template's too). Any thread may reach one; a simulation
// resets and reads them while nothing else runs.
#pragma once

#include <atomic>
#include <map>
#include <string_view>

namespace troupe::runtime {

class Mark {
 public:
  // `name` outlives the mark, and the mark the program: it stays registered.
  explicit Mark(const char* name);
  Mark(const Mark&) = delete;
  Mark& operator=(const Mark&) = delete;

  void reach() {
    if (!reached_.load(std::memory_order_relaxed)) reached_.store(true, std::memory_order_relaxed);
  }

 private:
  friend std::map<std::string_view, bool> marks();
  friend void reset_marks();

  const char* const name_;
  std::atomic<bool> reached_{false};
  Mark* const next_;
};

// Every mark of this program by name, and whether it was reached since the start or reset_marks().
std::map<std::string_view, bool> marks();
void reset_marks();

// A static member of a class template is made before main() for every place that uses it.
template <class Place>
struct MarkOf {
  static Mark mark;
};
template <class Place>
Mark MarkOf<Place>::mark{Place::name()};

}  // namespace troupe::runtime

#define TROUPE_SOMETIMES(text)                             \
  do {                                                     \
    struct Place {                                         \
      static constexpr const char* name() { return text; } \
    };                                                     \
    ::troupe::runtime::MarkOf<Place>::mark.reach();        \
  } while (false)

#define TROUPE_SOMETIMES_IF(condition, text) \
  do {                                       \
    if (condition) TROUPE_SOMETIMES(text);   \
  } while (false)
