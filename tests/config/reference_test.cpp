// docs/manifest.md says what the code does.
#include "config/loading/reference.hpp"

#include <set>

#include "support.hpp"

namespace troupe::config {

TEST_CASE("docs/manifest.md holds every section with every key, type, default, range and meaning") {
  const std::string page = read_source("docs/manifest.md");
  for (const auto& section : reference()) {
    const std::string expected = to_markdown(section);
    CHECK_MESSAGE(page.find(expected) != std::string::npos, "docs/manifest.md should contain:\n"
                                                                << expected);
  }
}

TEST_CASE("docs/manifest.md describes no section that does not exist") {
  std::set<std::string> headings;
  for (const auto& section : reference()) headings.insert("### `" + section.heading + "`");
  const std::string page = read_source("docs/manifest.md");
  std::size_t found = 0;
  for (std::size_t at = page.find("### `["); at != std::string::npos;
       at = page.find("### `[", at + 1)) {
    CHECK(headings.contains(page.substr(at, page.find('\n', at) - at)));
    ++found;
  }
  CHECK(found == headings.size());
}

TEST_CASE("the manifest that docs/manifest.md opens with loads") {
  const std::string page = read_source("docs/manifest.md");
  const auto begin = page.find("```toml\n") + 8;
  load(page.substr(begin, page.find("```", begin) - begin), environment({{"HOME", "/home/alice"}}));
}

TEST_CASE("every key has a meaning, and every key that is not required a default") {
  std::size_t keys = 0;
  for (const auto& section : reference()) {
    CHECK(!section.meaning.empty());
    for (const auto& key : section.keys) {
      CHECK_MESSAGE(!key.meaning.empty(), key.name);
      CHECK_MESSAGE(!key.default_value.empty(), key.name);
      ++keys;
    }
  }
  CHECK(keys > 50);
}

}  // namespace troupe::config
