// A manifest from a table of TOML, which may be a part of a file of another kind.
#pragma once

#include <vector>

#include "config/loading/reader.hpp"

namespace troupe::config {

// Reads and checks; appends what is wrong to `problems`. Paths in them begin in the table.
Manifest read_manifest_table(const Reader::Input& input, const LoadOptions& options,
                             std::vector<Problem>& problems);

}  // namespace troupe::config
