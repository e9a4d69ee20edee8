#include "cluster/cli/cluster_hooks.hpp"

#include "cluster/cluster_id.hpp"
#include "cluster/gateway/openapi.hpp"
#include "runtime/platform/os/os_disk.hpp"
#include "runtime/platform/os/os_random.hpp"

namespace troupe::cluster {
namespace {

Result<std::string> create_here(const config::Manifest& manifest,
                                const std::vector<std::string>& nodes, const std::string& id,
                                Membership membership) {
  runtime::OsRandom random;
  auto chosen = id.empty() ? Result<std::string>{make_cluster_id(random)} : parse_cluster_id(id);
  if (!chosen) return chosen;
  TROUPE_CHECK(create_cluster(*runtime::make_os_disk(), manifest, nodes, *chosen, membership));
  return chosen;
}

}  // namespace

void add_cluster_hooks(CliHooks& hooks, const actors::ServiceRegistry& registry) {
  hooks.openapi = [&registry](const std::string& title) -> Result<std::string> {
    TROUPE_TRY(routes, Routes::make(types_of(registry)));
    return openapi(*routes, {title, openapi_version});
  };
  hooks.members = [](const config::Manifest& manifest) {
    return members(*runtime::make_os_disk(), manifest);
  };
  hooks.create_cluster = create_here;
  hooks.disk = [] { return runtime::make_os_disk(); };
  hooks.restore = [](RestoreSpec spec) {
    const auto disk = runtime::make_os_disk();
    runtime::OsRandom random;
    spec.from = spec.disk = disk.get();
    spec.random = &random;
    return restore(spec);
  };
}

}  // namespace troupe::cluster
