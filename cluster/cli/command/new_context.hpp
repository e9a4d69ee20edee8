// What the command line of `troupe new` says. What to do about it is a hook: the templates are not
// the command line's.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace troupe::cluster {

struct NewContextOptions {
  std::string name;    // as typed
  std::string folder;  // empty: one of that name in the current folder
};

// The options outlive the app.
void add_new(CLI::App& app, NewContextOptions& options);

}  // namespace troupe::cluster
