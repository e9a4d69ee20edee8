// The words of the `troupe` command as documentation: what docs/commands.md holds, generated from
// what the command line is read with, so that a test can compare the two.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace troupe::cluster {

struct CliHooks;

// Every command that a binary with these hooks has: its words, options, remarks and examples.
std::string command_reference(const CliHooks& hooks);

// One command and those below it, without what is hidden.
std::string to_markdown(const CLI::App& command);

}  // namespace troupe::cluster
