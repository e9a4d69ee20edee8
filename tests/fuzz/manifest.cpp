// The text of a manifest. Every text is a manifest, or has problems that point into it; and it is
// the same each time.
#include <algorithm>

#include "config/load.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe::config;
using troupe::fuzz::require;

namespace {

std::optional<std::string> variable(const std::string& name) {
  if (name == "HOST") return "10.0.0.7";
  if (name == "EMPTY") return "";
  if (name == "ODD") return "\"\n[x]\0";
  return std::nullopt;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  LoadOptions options;
  if (input.ConsumeBool()) options.known_services = {{"banking.v1.Accounts"}};
  const auto text = input.ConsumeRemainingBytesAsString();
  const auto manifest = load_manifest(text, "cluster.toml", variable, options);
  const auto again = load_manifest(text, "cluster.toml", variable, options);
  require(manifest.has_value() == again.has_value(), "it is read the same each time");
  if (manifest) return 0;
  require(manifest.error() == again.error(), "it is read the same each time");
  require(!manifest.error().empty(), "what is refused has a problem");
  const auto lines = 1 + std::ranges::count(text, '\n');
  for (const auto& problem : manifest.error()) {
    require(problem.line >= 1 && problem.line <= lines && problem.column >= 1,
            "a problem is somewhere in the text", problem.describe());
    require(!problem.message.empty(), "a problem says what is wrong");
  }
  return 0;
}
