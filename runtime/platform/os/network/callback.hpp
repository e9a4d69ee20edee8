// Calls into the code of a stream's or listener's owner. What they throw is a bug of theirs and
// harms their own connection only, never the loop that serves the others.
#pragma once

#include <exception>
#include <optional>
#include <string>

namespace troupe::runtime {

// What the call threw, in words.
template <class Call>
std::optional<std::string> what_is_thrown(Call&& call) {
  try {
    call();
    return std::nullopt;
  } catch (const std::exception& exception) {
    return exception.what();
  } catch (...) {
    return "something that is not a std::exception";
  }
}

}  // namespace troupe::runtime
