// What one life of a node tells the checks, and how they complain; for the files of this folder.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "simulations/checks/replica_checks.hpp"

namespace troupe::simulations {

inline std::string entry(runtime::LogIndex index) {
  return "entry " + std::to_string(index);
}

inline std::string of_term(runtime::Term term) {
  return " of term " + std::to_string(term);
}

class ReplicaChecks::Ear final : public runtime::Probe {
 public:
  Ear(ReplicaChecks& checks, std::string node_name, std::uint32_t number,
      std::function<bool()> over)
      : node(std::move(node_name)), life(number), checks_(checks), over_(std::move(over)) {}

  const std::string node;
  const std::uint32_t life;
  // If the log rotted before this life: what may be missing from it.
  std::optional<Transaction> may_be_lost;

  void log_committed() override {
    if (listens()) checks_.log_committed(*this);
  }
  void log_recovered(GroupId group, LogIndex snapshot, LogIndex last) override {
    if (listens()) checks_.log_recovered(*this, group, snapshot, last);
  }
  void entry_durable(GroupId group, LogIndex index, Term term) override {
    if (listens()) checks_.entry_durable(*this, group, index, term);
  }
  void log_cut(GroupId group, LogIndex index) override {
    if (listens()) checks_.log_cut(*this, group, index);
  }
  void forgets(GroupId group) override {
    if (listens()) checks_.forgets(*this, group);
  }
  void leads(GroupId group, std::uint64_t replica, Term term) override {
    if (listens()) checks_.leads(*this, group, replica, term);
  }
  void delivered(GroupId group, LogIndex index, Term term,
                 const runtime::SharedBytes& payload) override {
    if (listens()) checks_.delivered(*this, group, index, term, payload);
  }
  void file_opened(GroupId group, const Rows& rows) override {
    if (listens()) checks_.file_opened(*this, group, rows);
  }
  void rows_applied(GroupId group, const Rows& rows) override {
    if (listens()) checks_.rows_applied(*this, group, rows);
  }
  void checkpointed(GroupId group, LogIndex index) override {
    if (listens()) checks_.checkpointed(*this, group, index);
  }
  void file_received(GroupId group, const Rows& rows) override {
    if (listens()) checks_.file_received(*this, group, rows);
  }
  void founded(GroupId group, const Rows& rows, const std::vector<std::string>& voters) override {
    if (listens()) checks_.founded(*this, group, rows, voters);
  }
  void voters(GroupId group, LogIndex index, Term term,
              const std::vector<std::string>& nodes) override {
    if (listens()) checks_.voters_change(group, index, term, nodes);
  }
  void goes_on_alone(GroupId group, Term term, const std::vector<std::string>& lost) override {
    if (listens()) checks_.goes_on_alone(*this, group, term, lost);
  }
  void replied(GroupId group, LogIndex index) override {
    if (listens()) checks_.replied(*this, group, index);
  }

 private:
  bool listens() const { return !over_() && !checks_.broken_; }

  ReplicaChecks& checks_;
  const std::function<bool()> over_;
};

// `what` makes the text.
template <class What>
void ReplicaChecks::require(bool holds, const Ear& ear, GroupId group, const What& what) {
  if (holds || broken_) return;
  broken_ = true;
  violated_("node " + ear.node + ", group " + std::to_string(group) + ": " + what());
}

}  // namespace troupe::simulations
