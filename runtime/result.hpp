// Result<T>: a value or an Error. `return value;` and `return some_error(...);` both convert.
//
// tl::expected (Debian's libexpected-dev) is std::expected before C++23; the thin layer below
// only adds the conversion from Error, so that handlers read as in docs/guide.
#pragma once

#include <tl/expected.hpp>
#include <type_traits>
#include <utility>

#include "runtime/error.hpp"

namespace troupe {

template <class T>
class [[nodiscard]] Result : public tl::expected<T, Error> {
  using Base = tl::expected<T, Error>;

 public:
  using Base::Base;
  Result(Error error) : Base(tl::unexpect, std::move(error)) {}  // NOLINT: implicit by design
  Result(Base base) : Base(std::move(base)) {}                   // NOLINT
};

// Evaluates to the value of a Result, or returns its Error from the enclosing function.
#define TROUPE_TRY(variable, expression)                               \
  auto&& variable##_result = (expression);                             \
  if (!variable##_result) return std::move(variable##_result).error(); \
  auto&& variable = *std::move(variable##_result)

// Returns the Error of a Result<void> from the enclosing function, if there is one.
#define TROUPE_CHECK(expression)                             \
  do {                                                       \
    if (auto troupe_checked = (expression); !troupe_checked) \
      return std::move(troupe_checked).error();              \
  } while (false)

}  // namespace troupe
