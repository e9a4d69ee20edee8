// Checksums of stored rows (XXH3, 64 bits). Every number goes in as 8 bytes little-endian, so that
// a file means the same on every machine.
#pragma once

#include <xxhash.h>

#include <array>
#include <bit>
#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace troupe::runtime {

inline std::uint64_t checksum(std::string_view bytes, std::uint64_t seed = 0) {
  return XXH3_64bits_withSeed(bytes.data(), bytes.size(), seed);
}

template <class... Numbers>
std::uint64_t checksum_of_numbers(Numbers... numbers) {
  static_assert(std::endian::native == std::endian::little, "byte order of stored checksums");
  const std::array<std::uint64_t, sizeof...(numbers)> words{static_cast<std::uint64_t>(numbers)...};
  return XXH3_64bits(words.data(), sizeof(words));
}

}  // namespace troupe::runtime
