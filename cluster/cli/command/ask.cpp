#include "cluster/cli/command/ask.hpp"

#include "cluster/cli/command/manifest_file.hpp"

namespace troupe::cluster {
namespace {

constexpr config::Duration timeout_max = std::chrono::hours{1};

}  // namespace

std::optional<Targets> targets_of(const CliIo& io, const AskOptions& options) {
  Targets result;
  const auto timeout = config::parse_duration(options.timeout);
  if (!timeout || *timeout <= config::Duration::zero() || *timeout > timeout_max) {
    *io.err << "troupe: --timeout \"" << options.timeout
            << "\" is not a duration above 0s and up to 1h; write 500ms or 5s\n";
    return std::nullopt;
  }
  result.timeout = *timeout;

  if (!options.manifest.empty()) {
    const auto manifest = load_or_complain(io, options.manifest, std::nullopt);
    if (!manifest) return std::nullopt;
    for (const auto& node : manifest->nodes)
      result.targets.push_back({node.name, reachable(node.admin)});
    return result;
  }

  std::string text = options.admin, source = "--admin";
  if (text.empty()) {
    text = io.environment("TROUPE_ADMIN").value_or("");
    source = "the environment variable TROUPE_ADMIN";
  }
  if (text.empty()) text = default_admin;
  const auto address = config::parse_address(text);
  if (!address) {
    *io.err << "troupe: " << source << ": " << address.error().message << "\n    "
            << address.error().hint << "\n";
    return std::nullopt;
  }
  result.targets.push_back({"", reachable(*address)});
  return result;
}

void complain(const CliIo& io, const Target& target, const Error& error) {
  *io.err << "troupe: " << (target.node.empty() ? "" : "node " + target.node + ": ")
          << harmless(error.message) << "\n";
}

Tint tint_of_state(const std::string& state) {
  if (state == "serving" || state == "running") return Tint::good;
  if (state == "failed" || state == "degraded" || state == "unreachable") return Tint::bad;
  return Tint::warning;
}

}  // namespace troupe::cluster
