// SQLite's write-ahead log, as https://sqlite.org/fileformat2.html#the_write_ahead_log describes
// it: a header, then frames of a header and a page each. Every frame's checksum goes on from the
// one before it, the first one's from the header's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace troupe::runtime {

inline constexpr std::size_t wal_header_bytes = 32;
inline constexpr std::size_t wal_frame_header_bytes = 24;
inline constexpr std::size_t wal_header_sum_offset = 24;
inline constexpr std::size_t wal_frame_sum_offset = 16;
inline constexpr std::size_t wal_frame_summed_bytes = 8;  // of the frame's header
inline constexpr std::uint32_t wal_magic = 0x377f0682;    // the last bit: sums of big-endian words

inline std::uint32_t big_endian_32(const char* bytes) {
  std::uint32_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  return __builtin_bswap32(word);
}

struct WalSum {
  std::uint32_t first = 0;
  std::uint32_t second = 0;
  friend bool operator==(const WalSum&, const WalSum&) = default;

  static WalSum parse(const char* bytes) {
    return {big_endian_32(bytes), big_endian_32(bytes + 4)};
  }

  // `size`: a multiple of 8.
  WalSum add(bool big_endian, const char* bytes, std::size_t size) const {
    return big_endian ? add_words<true>(bytes, size) : add_words<false>(bytes, size);
  }

 private:
  template <bool big_endian>
  WalSum add_words(const char* bytes, std::size_t size) const {
    WalSum sum = *this;
    for (const char* end = bytes + size; bytes != end; bytes += 8) {
      std::uint32_t word[2];
      std::memcpy(word, bytes, sizeof(word));
      if constexpr (big_endian) {
        word[0] = __builtin_bswap32(word[0]);
        word[1] = __builtin_bswap32(word[1]);
      }
      sum.first += word[0] + sum.second;
      sum.second += word[1] + sum.first;
    }
    return sum;
  }
};

}  // namespace troupe::runtime
