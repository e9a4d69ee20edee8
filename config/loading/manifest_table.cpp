#include "config/loading/manifest_table.hpp"

#include "config/loading/check.hpp"
#include "config/loading/schema.hpp"

namespace troupe::config {

Manifest read_manifest_table(const Reader::Input& input, const LoadOptions& options,
                             std::vector<Problem>& problems) {
  Manifest manifest;
  Places places;
  Reader reader{input, problems, places};
  describe(reader, manifest);
  reader.finish();
  for (auto& node : manifest.nodes)
    if (node.data.empty()) node.data = "./data/" + node.name;
  check({&manifest, &places, input.file, &options, input.complete}, problems);
  return manifest;
}

}  // namespace troupe::config
