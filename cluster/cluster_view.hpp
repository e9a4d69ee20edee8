// What all nodes of the cluster tell about themselves, gathered by the one that an operator asks,
// over the links between nodes: whoever reaches one admin address sees the whole cluster.
//
// Threads: any thread may call ask(). Destroyed after the mesh, whose calls it answers; what it
// asks outlives it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/admin.pb.h"
#include "cluster/gateway/admin.hpp"
#include "cluster/mesh/mesh.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

class ClusterView {
 public:
  // `others`: the other nodes of the cluster, as far as `node`, which is this one, knows at the
  // moment.
  ClusterView(runtime::Platform& platform, AdminSource& here, std::string node,
              std::function<std::vector<std::string>()> others)
      : platform_(platform), here_(here), node_(std::move(node)), others_(std::move(others)) {}

  // Before the mesh starts; without it there is only this node.
  void reach(Mesh& mesh);

  // Answers of all nodes, by name. Of one that cannot be asked, or says nothing for
  // two seconds, the answer is an error.
  void ask(NodeQuestion::What what, std::function<void(Result<ClusterAnswer>)> answer) const;

 private:
  // What this node says.
  void tell(NodeQuestion::What what, const std::function<void(NodeAnswer)>& answer) const;

  runtime::Platform& platform_;
  AdminSource& here_;
  const std::string node_;
  const std::function<std::vector<std::string>()> others_;
  Mesh* mesh_ = nullptr;
};

}  // namespace troupe::cluster
