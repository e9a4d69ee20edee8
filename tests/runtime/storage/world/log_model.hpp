// What a node log must hold after a crash, worked out from what was asked of it.
//
// Requests of one group become durable in order. So after a crash a group is in the state that some
// number of its requests leave: all that were acknowledged, none that were refused, and of the rest
// any number, the first ones first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/storage/node_log.hpp"

namespace troupe::tests {

struct GroupModel {
  std::optional<runtime::Term> term;  // of its record; nullopt: there is none
  runtime::LogIndex snapshot = 0;
  std::map<runtime::LogIndex, std::string> entries;
  friend bool operator==(const GroupModel&, const GroupModel&) = default;

  runtime::LogIndex next() const {
    return std::max(entries.empty() ? 0 : entries.rbegin()->first, snapshot) + 1;
  }
};

struct Request {
  std::optional<runtime::Term> term;
  runtime::LogIndex snapshot = 0;  // with `term`
  runtime::LogIndex first = 0;
  std::vector<std::string> payloads;

  enum class Fate { pending, acknowledged, refused } fate = Fate::pending;
  std::uint64_t commit = 0;  // of the transaction that acknowledged it

  void apply(GroupModel& model) const;
  runtime::NodeLog::Append append(runtime::GroupId group) const;
};

class LogModel {
 public:
  // What a group holds if all that was not refused becomes durable.
  GroupModel planned(runtime::GroupId group) const;

  // The group's newest request; its place tells settle() which one it was.
  std::size_t add(runtime::GroupId group, Request request);
  void settle(runtime::GroupId group, std::size_t place, bool acknowledged, std::uint64_t commit);

  // Finds each group in a state that may follow a crash and goes on from there; otherwise says what
  // is wrong. `commits_forgiven`: so many of the newest commits may be lost, because they rotted.
  std::optional<std::string> recover(runtime::NodeLog& log, std::uint64_t commits_forgiven = 0);

  std::uint64_t acknowledged = 0;

 private:
  struct Group {
    GroupModel base;
    std::vector<Request> requests;
  };
  std::map<runtime::GroupId, Group> groups_;
  std::uint64_t newest_commit_ = 0;
};

}  // namespace troupe::tests
