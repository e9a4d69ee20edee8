// The calls of one link that are not answered. Not thread-safe: a part of MeshLink.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "cluster/mesh/messages.hpp"

namespace troupe::cluster {

class CallTable {
 public:
  struct Open {
    Answer answer;
    MonotonicTime deadline;
    bool sent = false;  // handed to the stream
  };

  void open(std::uint64_t id, MonotonicTime deadline, Answer answer) {
    open_.emplace(id, Open{std::move(answer), deadline, false});
    if (deadline != MonotonicTime::max()) deadlines_.emplace(deadline, id);
  }

  // False: it has been answered.
  bool mark_sent(std::uint64_t id) {
    const auto found = open_.find(id);
    if (found == open_.end()) return false;
    found->second.sent = true;
    return true;
  }

  // Nothing: it has been answered.
  std::optional<Open> take(std::uint64_t id) {
    auto found = open_.extract(id);
    if (!found) return std::nullopt;
    if (found.mapped().deadline != MonotonicTime::max())
      deadlines_.erase({found.mapped().deadline, id});
    return std::move(found.mapped());
  }

  // Those whose deadline has come.
  std::vector<Open> take_late(MonotonicTime now) {
    std::vector<Open> late;
    while (!deadlines_.empty() && deadlines_.begin()->first <= now)
      late.push_back(*take(deadlines_.begin()->second));
    return late;
  }

  std::vector<Open> take_all() {
    std::vector<Open> all;
    for (auto& [id, open] : open_) all.push_back(std::move(open));
    open_.clear();
    deadlines_.clear();
    return all;
  }

  MonotonicTime next_deadline() const {
    return deadlines_.empty() ? MonotonicTime::max() : deadlines_.begin()->first;
  }
  std::size_t size() const { return open_.size(); }

 private:
  std::map<std::uint64_t, Open> open_;
  std::set<std::pair<MonotonicTime, std::uint64_t>> deadlines_;
};

}  // namespace troupe::cluster
