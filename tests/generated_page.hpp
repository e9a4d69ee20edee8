// A page of docs/ of which a part is generated from the code. A test compares it; run with
// TROUPE_RENEW_DOCS=1 it writes that part anew instead.
#pragma once

#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace troupe::tests {

inline std::string read_page(const std::string& path) {
  std::ifstream file{path};
  REQUIRE_MESSAGE(file.good(), path);
  return {std::istreambuf_iterator<char>{file}, {}};
}

// `page`: docs/NAME.md of the source folder. The part lies between two comments of Markdown.
inline void check_generated_part(const std::string& page, const std::string& expected) {
  const std::string begin = "<!-- generated: what is below is not written by hand -->\n";
  const std::string end = "<!-- generated until here -->\n";
  std::string text = read_page(page);
  const auto first = text.find(begin);
  const auto last = text.find(end);
  REQUIRE_MESSAGE((first != std::string::npos && last != std::string::npos && first < last),
                  page << " has no part between the lines '" << begin << "' and '" << end << "'");
  const auto from = first + begin.size();
  if (std::getenv("TROUPE_RENEW_DOCS") != nullptr) {
    text.replace(from, last - from, "\n" + expected + "\n");
    std::ofstream{page} << text;
    return;
  }
  CHECK_MESSAGE(text.substr(from, last - from) == "\n" + expected + "\n",
                page << " is not what the code says. Run this test with TROUPE_RENEW_DOCS=1 in its "
                        "environment, which writes it anew");
}

}  // namespace troupe::tests
