// `troupe new context`: writes the first files of a bounded context, from templates/context, which
// is one that could be built as it is.
#pragma once

#include "cluster/cli/command/io.hpp"
#include "cluster/cli/command/new_context.hpp"

namespace troupe::kit {

// Writes into a folder that is empty or not there yet, and nothing that is there. Returns the exit
// status: 0 done, 1 the folder cannot be used or written, 2 the name cannot be one.
int new_context(const cluster::CliIo& io, const cluster::NewContextOptions& options);

// Empty, or why no context can have this name: it becomes a package of Protobuf, a namespace of
// C++, a part of paths and a target of CMake.
std::string why_no_name(const std::string& name);

}  // namespace troupe::kit
