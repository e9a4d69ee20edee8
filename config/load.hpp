// From the text of a manifest to a Manifest, or to everything that is wrong with it.
//
// docs/manifest.md describes the file. One run finds every mistake: unknown keys, wrong types,
// values that cannot be, and contradictions between sections. Text that is not TOML is reported,
// left out, and the rest is read; what depends on the missing lines is then not complained about.
//
// Pure functions: no file is opened, and the environment is what the caller says it is.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "config/manifest.hpp"
#include "config/problem.hpp"

namespace troupe::config {

// The value of an environment variable, nullopt if it is not set.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

struct LoadOptions {
  // Full names of the services that the binary has. Given: every other name in the manifest is a
  // problem.
  std::optional<std::vector<std::string>> known_services;
};

// `file` is the name that problems carry. Problems come in the order of the file.
tl::expected<Manifest, std::vector<Problem>> load_manifest(std::string_view text,
                                                           const std::string& file,
                                                           const Environment& environment,
                                                           const LoadOptions& options = {});

}  // namespace troupe::config
