// `troupe openapi`: what the services of this binary are, for generators of clients.
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/human.hpp"
#include "cluster/cli/command/manifest_file.hpp"
#include "cluster/cli/command/text_file.hpp"

namespace troupe::cluster {

int run_openapi(const CliIo& io, const CliHooks& hooks, const OpenApiOptions& options) {
  std::string title = "Troupe";
  if (!options.manifest.empty()) {
    const auto manifest = load_or_complain(io, options.manifest, hooks.services);
    if (!manifest) return exit_usage;
    title = manifest->cluster.name;
  }
  const auto document = hooks.openapi(title);
  if (!document) {
    *io.err << "troupe: " << harmless_lines(document.error().describe()) << "\n";
    return exit_failed;
  }
  if (options.out.empty()) {
    *io.out << *document << "\n";
    return exit_done;
  }
  constexpr unsigned for_all = 0644;
  const std::string wrong = write_text_file(options.out, *document + "\n", for_all);
  if (wrong.empty()) return exit_done;
  *io.err << "troupe: " << wrong << "\n";
  return exit_failed;
}

}  // namespace troupe::cluster
