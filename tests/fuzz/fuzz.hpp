// What the targets share. libFuzzer calls LLVMFuzzerTestOneInput() of each with one input after the
// other: https://llvm.org/docs/LibFuzzer.html. FuzzedDataProvider takes choices from an input's
// end, so that its beginning is the text or the bytes that it is about.
#pragma once

#include <fuzzer/FuzzedDataProvider.h>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace troupe::fuzz {

// What has to be so for every input; else it is a finding.
inline void require(bool holds, std::string_view what, std::string_view details = {}) {
  if (holds) return;
  std::fprintf(stderr, "not so: %.*s\n%.*s\n", static_cast<int>(what.size()), what.data(),
               static_cast<int>(details.size()), details.data());
  std::abort();
}

// `bytes` in pieces, whose lengths follow from `how`: of one byte each if that is 0.
inline std::vector<std::string> cut(std::string_view bytes, std::uint8_t how) {
  std::vector<std::string> pieces;
  std::uint32_t state = how;
  while (!bytes.empty()) {
    state = state * 1'664'525 + 1'013'904'223;
    const std::size_t length = how == 0 ? 1 : 1 + (state >> 16) % (how % 2 == 0 ? 7 : 60);
    pieces.emplace_back(bytes.substr(0, length));
    bytes.remove_prefix(pieces.back().size());
  }
  return pieces;
}

}  // namespace troupe::fuzz
