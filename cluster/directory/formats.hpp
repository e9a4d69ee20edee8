// Formats: what is stored or sent in a way that came after the first version of it, so that an
// older binary cannot read it. A cluster may run two versions of the binary at once, so a format is
// used only when it is switched on in the directory, which is refused while any node cannot read
// it; it is an operator's act (`troupe formats`) and cannot be undone. Before it, every node may go
// back to the older binary. Afterwards one that cannot read it is refused: by the directory, by all
// nodes that know of the format, which are linked with it no more, and by itself, at its start or
// as soon as it hears of it.
//
// Whoever writes such a format asks format_is_on() of the node's copy of the table each time, and
// writes the older one otherwise. A format has a name for ever: "rows.2".
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/directory/table.pb.h"
#include "runtime/result.hpp"

namespace troupe::cluster {

// Entries that split a shard. The first order to split one switches it on.
inline constexpr char split_format[] = "shard-split";

// Policies in the directory's table. The first order to change one switches it on.
inline constexpr char policies_format[] = "policies";

// Those that this binary reads, besides the first version of everything.
inline std::vector<std::string> formats_read() {
  return {policies_format, split_format};
}

inline bool format_is_on(const DirectoryTable& table, std::string_view name) {
  return std::ranges::any_of(table.formats(),
                             [&](const DirectoryFormat& format) { return format.name() == name; });
}

// A node of the cluster that cannot read it, so that it must not be switched on; null: there is
// none.
const DirectoryNode* who_cannot_read(const DirectoryTable& table, std::string_view format);

// FAILED_PRECONDITION / FORMAT_NOT_READABLE, because of this node.
Error not_readable(const DirectoryNode& node, const std::string& format);

// FAILED_PRECONDITION / FORMAT_UNREADABLE: one that is switched on is not among those that are
// read.
template <class Names>
Result<void> can_read(const DirectoryTable& table, const Names& read, const std::string& node) {
  for (const DirectoryFormat& format : table.formats())
    if (std::ranges::find(read, format.name()) == read.end())
      return failed_precondition(
          "FORMAT_UNREADABLE",
          "the cluster uses the format " + format.name() + ", which the program of node " + node +
              " cannot read: start the version that it ran last, or a newer one");
  return {};
}

}  // namespace troupe::cluster
