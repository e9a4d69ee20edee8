// What replicas tell, made up, for tests of the checks.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/storage/checksum.hpp"
#include "simulations/checks/replica_checks.hpp"

namespace troupe::simulations {

using runtime::LogIndex;
using runtime::Probe;
using runtime::Term;

inline constexpr runtime::GroupId group = 7;

inline runtime::SharedBytes bytes(const std::string& text) {
  return std::make_shared<const std::string>(text);
}

// The payload of an entry: the first two of a group carry none.
inline runtime::SharedBytes payload(LogIndex index) {
  return index <= 2 ? nullptr : bytes("batch " + std::to_string(index));
}

// The chain and time of a file with rows up to there.
inline Probe::Rows rows(LogIndex index) {
  Probe::Rows rows{index, static_cast<std::int64_t>(1000 * index), 0};
  for (LogIndex i = 1; i <= index; ++i)
    if (payload(i))
      rows.chain = runtime::checksum_of_numbers(rows.chain, i, runtime::checksum(*payload(i)));
  return rows;
}

struct Story {
  std::vector<std::string> found;
  Duration now{};
  ReplicaChecks checks{[this](const std::string& what) { found.push_back(what); },
                       [this] { return now; }};

  // One life of a node.
  struct Life {
    std::shared_ptr<bool> over = std::make_shared<bool>(false);
    std::unique_ptr<Probe> probe;
    Probe* operator->() const { return probe.get(); }

    void write(LogIndex from, LogIndex to, Term term = 2) const {
      for (LogIndex i = from; i <= to; ++i) probe->entry_durable(group, i, term);
    }
    void hand_out(LogIndex from, LogIndex to, Term term = 2) const {
      for (LogIndex i = from; i <= to; ++i) probe->delivered(group, i, term, payload(i));
    }
  };
  Life start(const std::string& node = "n1") {
    Life life;
    life.probe = checks.listen(node, [over = life.over] { return *over; });
    return life;
  }

  // A first life that made, handed out and answered five entries and checkpointed three.
  Life first_life() {
    auto life = start();
    life->file_opened(group, rows(0));
    life.write(1, 5);
    life.hand_out(1, 2);
    life->leads(group, 11, 2);
    life.hand_out(3, 5);
    life->replied(group, 5);
    life->rows_applied(group, rows(3));
    life->checkpointed(group, 3);
    REQUIRE(found.empty());
    return life;
  }
  Life second_life(LogIndex applied) {
    auto life = start();
    life->log_recovered(group, 0, 5);
    life->file_opened(group, rows(applied));
    return life;
  }

  bool finds(const std::string& part) const {
    INFO("found: ", found.empty() ? "nothing" : found.front());
    const bool does = found.size() == 1 && found.front().find(part) != std::string::npos;
    CHECK(does);
    return does;
  }
};

}  // namespace troupe::simulations
