#include "cluster/cluster_view.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "cluster/gathered.hpp"

namespace troupe::cluster {
namespace {

// Less than whoever asks waits for.
constexpr Duration patience = std::chrono::seconds{2};

NodeAnswer failure(const Error& why) {
  NodeAnswer answer;
  answer.set_reason(why.reason);
  answer.set_message(why.message);
  return answer;
}

// How an answer of that kind becomes part of a NodeAnswer.
template <class Message>
std::function<void(Result<Message>)> as_part(std::function<void(NodeAnswer)> answer,
                                             Message* (NodeAnswer::*part)()) {
  return [answer = std::move(answer), part](Result<Message> told) {
    if (!told) return answer(failure(told.error()));
    NodeAnswer made;
    *(made.*part)() = *std::move(told);
    answer(std::move(made));
  };
}

Error unknown_question() {
  return unimplemented("CALL_UNKNOWN", "this node does not know the question");
}

}  // namespace

void ClusterView::reach(Mesh& mesh) {
  mesh_ = &mesh;
  mesh.on_call(FrameKind::admin, [this](const IncomingCall& call) {
    if (!call.begin()) return;
    NodeQuestion question;
    if (!question.ParseFromString(call.bytes())) return call.answer(unknown_question());
    tell(question.what(),
         [call](const NodeAnswer& answer) { call.answer(answer.SerializeAsString()); });
  });
}

void ClusterView::tell(NodeQuestion::What what,
                       const std::function<void(NodeAnswer)>& answer) const {
  switch (what) {
    case NodeQuestion::STATUS:
      return here_.status(as_part<NodeStatus>(answer, &NodeAnswer::mutable_status));
    case NodeQuestion::TREE:
      return here_.tree(as_part<TreeNode>(answer, &NodeAnswer::mutable_tree));
    case NodeQuestion::SHARDS:
      return here_.shards(as_part<ShardList>(answer, &NodeAnswer::mutable_shards));
    default:  // of a later version
      return answer(failure(unknown_question()));
  }
}

void ClusterView::ask(NodeQuestion::What what,
                      std::function<void(Result<ClusterAnswer>)> answer) const {
  const auto gathered = std::make_shared<Gathered<ClusterAnswer>>(std::move(answer));
  std::vector<std::string> nodes = others_();
  nodes.push_back(node_);
  std::ranges::sort(nodes);
  for (const std::string& node : nodes) {
    NodeAnswer& one = *gathered->message.add_nodes();
    one = failure(unavailable("NODE_SILENT", "it did not answer"));
    one.set_node(node);
  }
  NodeQuestion question;
  question.set_what(what);
  for (int i = 0; i < gathered->message.nodes_size(); ++i) {
    const std::string& node = nodes[static_cast<std::size_t>(i)];
    const auto put = [gathered, i, node](NodeAnswer told) {
      told.set_node(node);
      const std::lock_guard guard{gathered->mutex};
      *gathered->message.mutable_nodes(i) = std::move(told);
    };
    if (node == node_) {
      tell(what, put);
    } else if (mesh_) {
      mesh_->call(node, FrameKind::admin, question.SerializeAsString(),
                  platform_.clock().now() + patience, [put](const Result<std::string>& bytes) {
                    NodeAnswer told;
                    if (bytes && told.ParseFromString(*bytes)) return put(std::move(told));
                    put(failure(bytes ? unknown_question() : bytes.error()));
                  });
    }
  }
}

}  // namespace troupe::cluster
