#include "runtime/rehearsal/marks.hpp"

#include <doctest/doctest.h>

namespace troupe::runtime {
namespace {

void reach_one_of_two(bool first) {
  if (first) {
    TROUPE_SOMETIMES("marks test: a line was reached");
  } else {
    TROUPE_SOMETIMES("marks test: another line was reached");
  }
}

void reach_from_elsewhere() {
  TROUPE_SOMETIMES("marks test: a line was reached");
}

template <class Number>
bool is_odd(Number number) {
  const auto odd = [&] {
    TROUPE_SOMETIMES_IF(number % 2 != 0, "marks test: a number was odd");
    return number % 2 != 0;
  };
  return odd();
}

TEST_CASE("a mark is known before it is reached, and reached until it is reset") {
  reset_marks();
  REQUIRE(marks().contains("marks test: a line was reached"));
  CHECK_FALSE(marks().at("marks test: a line was reached"));
  reach_one_of_two(true);
  CHECK(marks().at("marks test: a line was reached"));
  CHECK_FALSE(marks().at("marks test: another line was reached"));
  reach_one_of_two(false);
  CHECK(marks().at("marks test: another line was reached"));
  reset_marks();
  CHECK_FALSE(marks().at("marks test: a line was reached"));
}

TEST_CASE("marks of one name are reached when one of them is") {
  reset_marks();
  reach_from_elsewhere();
  CHECK(marks().at("marks test: a line was reached"));
}

TEST_CASE("a mark with a condition is reached when the condition holds, in templates too") {
  reset_marks();
  CHECK_FALSE(is_odd(2));
  CHECK_FALSE(marks().at("marks test: a number was odd"));
  CHECK(is_odd(3L));
  CHECK(marks().at("marks test: a number was odd"));
}

}  // namespace
}  // namespace troupe::runtime
