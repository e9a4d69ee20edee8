// docs/commands.md says what the command line takes.
#include "cluster/cli/command/reference.hpp"

#include <doctest/doctest.h>

#include "support.hpp"
#include "tests/generated_page.hpp"

namespace troupe::cluster {
namespace {

// As the binary of domains/kit has them: every command is there.
CliHooks every_hook() {
  CliHooks hooks = test_hooks([](const config::Manifest&, const std::string&) { return 0; });
  hooks.openapi = [](const std::string&) -> Result<std::string> { return std::string{}; };
  hooks.simulate = [](const CliIo&, const SimulateOptions&) { return 0; };
  hooks.new_context = [](const CliIo&, const NewContextOptions&) { return 0; };
  return hooks;
}

}  // namespace

TEST_CASE("docs/commands.md holds every command with its options, defaults and examples") {
  tests::check_generated_part(TROUPE_SOURCE_FOLDER "/docs/commands.md",
                              command_reference(every_hook()));
}

}  // namespace troupe::cluster
