#include <doctest/doctest.h>

#include <set>

#include "config/load.hpp"
#include "simulations/rehearsal/knobs.hpp"

namespace troupe::simulations {
namespace {

constexpr const char* plain = R"(
[cluster]
name = "rehearsal"

[[nodes]]
name = "n1"
mesh = "n1:7400"
admin = "n1:7480"
data = "/data"
)";

config::Manifest load(const std::string& text) {
  auto manifest =
      config::load_manifest(text, "test.toml", [](const auto&) { return std::nullopt; });
  if (!manifest) FAIL(manifest.error().front().describe());
  return *manifest;
}

TEST_CASE("every value that a seed draws is one that a manifest may hold") {
  std::set<std::string> keys;
  int defaults = 0;
  for (std::uint64_t seed = 1; seed <= 500; ++seed) {
    const auto knobs = draw_knobs({seed, Domain::knobs, 0, 0});
    auto applied = load(plain);
    apply_knobs(knobs, applied);
    CHECK(applied == load(plain + to_toml(knobs)));
    if (knobs.empty()) ++defaults;
    for (const auto& knob : knobs) keys.insert(knob.key);
  }
  CHECK(keys.size() == 19);
  CHECK(defaults > 20);
}

TEST_CASE("what the manifest gives is not drawn") {
  std::string text = plain;
  text += "[storage]\napply_rows = 12345\n";
  const auto manifest = load(text);
  bool drawn = false;
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    const auto knobs = draw_knobs({seed, Domain::knobs, 0, 0});
    for (const auto& knob : knobs) drawn = drawn || knob.key == "apply_rows";
    auto with = manifest;
    const auto applied = apply_knobs(knobs, with);
    CHECK(with.storage.apply_rows == 12345);
    CHECK_FALSE(applied.contains("storage.apply_rows"));
  }
  CHECK(drawn);
}

}  // namespace
}  // namespace troupe::simulations
