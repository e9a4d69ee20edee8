// Walks text that should be UTF-8 but comes from anywhere.
#pragma once

#include <cstdint>
#include <string_view>

namespace troupe::runtime {

struct Utf8Piece {
  std::uint32_t code_point = 0;
  std::size_t size = 1;  // bytes; 1 for a byte that does not belong
  bool valid = false;
};

// The first piece of a text that is not empty. Strict as RFC 3629: no overlong form, no surrogate,
// nothing past U+10FFFF.
Utf8Piece first_utf8(std::string_view text);

}  // namespace troupe::runtime
