// Which version of the program each node of a run has, as far as formats go
// (cluster/directory/formats.hpp), and whether the cluster keeps to what its nodes can read: by
// what is committed, whatever any node says of itself.
//
//  - No format is switched on that the program of a member cannot read.
//  - Nothing of a format is in an entry before it is switched on, and no node is handed such an
//    entry whose program cannot read it.
//
// Single-threaded, as the world.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "runtime/storage/ids.hpp"

namespace troupe::cluster {
class DirectoryTable;
}

namespace troupe::simulations {

class Programs {
 public:
  // `wrong` gets a sentence, once.
  explicit Programs(std::function<void(const std::string& what)> wrong)
      : wrong_(std::move(wrong)) {}

  // The node's program, from its next start on.
  void install(const std::string& node, std::vector<std::string> formats) {
    reads_[node] = {formats.begin(), formats.end()};
  }

  // What a node was handed by a group.
  void handed(const std::string& node, runtime::GroupId group, const runtime::SharedBytes& payload);

  // The cluster uses what this node's program cannot read, so that it may not run.
  bool is_refused(const std::string& node) const;

 private:
  void look(const cluster::DirectoryTable& table);
  void say(const std::string& what);
  bool can_read(const std::string& node, const std::string& format) const;

  const std::function<void(const std::string&)> wrong_;
  bool said_ = false;
  std::map<std::string, std::set<std::string>> reads_;
  std::uint64_t version_ = 0;  // newest of the directory that was committed
  std::set<std::string> on_;
};

}  // namespace troupe::simulations
