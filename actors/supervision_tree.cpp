#include <algorithm>
#include <mutex>

#include "actors/supervision.hpp"

namespace troupe::actors {
namespace {

class Tree final : public SupervisionTree {
 public:
  explicit Tree(std::string root_id) { root_.id = std::move(root_id); }

  Node snapshot() const override {
    const std::lock_guard guard{mutex_};
    return root_;
  }

  void update(const Path& path, const std::function<void(Node&)>& change) override {
    const std::lock_guard guard{mutex_};
    Node* node = &root_;
    for (const auto& id : path) {
      auto child = std::find_if(node->children.begin(), node->children.end(),
                                [&](const Node& one) { return one.id == id; });
      if (child == node->children.end()) {
        child = node->children.emplace(child);
        child->id = id;
      }
      node = &*child;
    }
    change(*node);
  }

 private:
  mutable std::mutex mutex_;
  Node root_;
};

}  // namespace

std::shared_ptr<SupervisionTree> SupervisionTree::make(std::string root_id) {
  return std::make_shared<Tree>(std::move(root_id));
}

}  // namespace troupe::actors
