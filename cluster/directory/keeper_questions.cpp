// What only the keeper can answer. A question about what is left on a node, about who keeps the
// directory or about a split may wait for news: so who waits for the end hears of every step when
// it happens.
#include <algorithm>
#include <utility>

#include "actors/encoding.hpp"
#include "cluster/directory/balance_report.hpp"
#include "cluster/directory/control.hpp"
#include "cluster/directory/keeper.hpp"
#include "cluster/directory/splits.hpp"

namespace troupe::cluster {
namespace {

bool same(const LeftOnNodeReport& one, const LeftOnNodeReport& other) {
  return one.wished() == other.wished() && one.members() == other.members() &&
         one.leaders() == other.leaders() && one.unknown() == other.unknown() &&
         one.draining() == other.draining();
}

}  // namespace

void DirectoryKeeper::take_question(const DirectoryQuestion& question, MonotonicTime deadline,
                                    Answer answer) {
  if (knows(question) && has_news(question)) return answer_question(question, answer);
  const MonotonicTime last = deadline - options_.answer_before;
  const auto asked = std::chrono::milliseconds{question.wait_ms()};
  const MonotonicTime until =
      spec_.platform->clock().now() + std::min<Duration>(asked, options_.wait_max);
  questions_.push_back(
      {question, knows(question) ? std::min(until, last) : last, std::move(answer)});
}

// An order that was carried out may not have been read here yet.
bool DirectoryKeeper::knows(const DirectoryQuestion& question) const {
  return question.version() <= table_.version();
}

bool DirectoryKeeper::has_news(const DirectoryQuestion& question) const {
  if (question.wait_ms() == 0) return true;
  if (question.has_known()) return !same(question.known(), left_on(question.left_on()));
  if (question.has_split()) return !split_of(question).under_way();
  return !question.has_known_control() ||
         actors::encode(question.known_control()) != actors::encode(advised_control(question));
}

// `all`: the node does not keep the directory any more.
void DirectoryKeeper::look_at_questions(bool all) {
  const MonotonicTime now = spec_.platform->clock().now();
  for (Question& one : std::exchange(questions_, {})) {
    if (!all && now < one.until && !(knows(one.question) && has_news(one.question)))
      questions_.push_back(std::move(one));
    else
      answer_question(one.question, one.answer);
  }
}

LeftOnNodeReport DirectoryKeeper::left_on(const std::string& name) const {
  const LeftOnNode left = left_on_node(balance_input(), name);
  LeftOnNodeReport report;
  report.set_wished(left.wished);
  report.set_members(left.members);
  report.set_leaders(left.leaders);
  report.set_unknown(left.unknown);
  const DirectoryNode* node = find_node(table_, name);
  report.set_draining(node != nullptr && node->draining());
  return report;
}

SplitReport DirectoryKeeper::split_of(const DirectoryQuestion& question) const {
  return split_report(table_, question.split().service(), question.split().shard());
}

ControlReport DirectoryKeeper::advised_control(const DirectoryQuestion& question) const {
  ControlReport report = control();
  report.set_advice(control_advice(table_, question.control()));
  return report;
}

ControlReport DirectoryKeeper::control() const {
  ControlGroup group;
  group.leader = spec_.node;
  for (const auto& member : spec_.vitals->get().consensus.members)
    group.members.push_back({member.node, member.voter});
  return control_report(table_, group);
}

void DirectoryKeeper::answer_question(const DirectoryQuestion& question, const Answer& answer_to) {
  DirectoryAnswer answer;
  answer.set_keeps(keeps_ && knows(question));
  if (!answer.keeps()) {
    answer.set_leader(spec_.vitals->leader());
    return answer_to(actors::encode(answer));
  }
  if (!question.left_on().empty()) *answer.mutable_left() = left_on(question.left_on());
  if (question.plan()) *answer.mutable_plan() = report_of(plan_balance(balance_input()));
  if (question.advice()) *answer.mutable_advice() = loads_.advice();
  if (question.has_control()) {
    if (auto sound = check_control_change(table_, control(), question.control()); !sound)
      return answer_to(std::move(sound).error());
    *answer.mutable_control() = advised_control(question);
  }
  if (question.has_split()) *answer.mutable_split() = split_of(question);
  answer_to(actors::encode(answer));
}

}  // namespace troupe::cluster
