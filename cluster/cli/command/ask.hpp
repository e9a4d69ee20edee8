// Puts one question to the nodes that the command line names.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cluster/admin.pb.h"
#include "cluster/cli/command/admin_client.hpp"
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/json.hpp"

namespace troupe::cluster {

struct Target {
  std::string node;         // empty: only the address is known
  config::Address address;  // without a host: only the node is known
};

struct Targets {
  std::vector<Target> targets;
  bool manifest = false;  // else the only target tells of all nodes
  config::Duration timeout{};
  config::Duration interval{};
};

// Nullopt after a complaint on standard error: exit with exit_usage. So does what follows.
std::optional<config::Duration> read_time(const CliIo& io, const std::string& option,
                                          const std::string& text);
std::optional<Targets> targets_of(const CliIo& io, const AskOptions& options);

// What a node answered, or that it did not.
template <class Answer>
struct Answered {
  Target target;
  Result<Answer> answer;
};

// The targets of a manifest, with the nodes that came to their cluster since and without those that
// were removed: as the newest copy of the directory has it that one of them shows. If none does, as
// they are. Of a node without an address to ask at there is only the name.
std::vector<Target> members_of(const Targets& targets);

void complain(const CliIo& io, const Target& target, const Error& error);

// All nodes' answers, as the target has gathered them; `path` is that of one node's.
Result<ClusterAnswer> ask_cluster(const Target& target, const std::string& path,
                                  config::Duration timeout);

// What a node said, if that is an answer of the kind.
Result<void> take(const NodeAnswer& said, NodeStatus& answer);
Result<void> take(const NodeAnswer& said, TreeNode& answer);
Result<void> take(const NodeAnswer& said, ShardList& answer);

// Runs the jobs at the same time, each on a thread of its own, and waits for all.
void at_once(std::size_t jobs, const std::function<void(std::size_t job)>& run);

// Asks every node of the manifest, all at once, or the one that is known, of all. Failures are
// reported on standard error; with --json the answers are printed, and nothing is left to do.
template <class Answer>
std::vector<Answered<Answer>> ask_all(const CliIo& io, const AskOptions& options,
                                      const Targets& targets, const std::string& path) {
  std::vector<Answered<Answer>> answers;
  const auto add = [&answers](Target target) -> Answered<Answer>& {
    return answers.emplace_back(Answered<Answer>{std::move(target), Answer{}});
  };
  if (targets.manifest) {
    for (Target& target : members_of(targets)) add(std::move(target));
    at_once(answers.size(), [&](std::size_t i) {
      auto& [target, answer] = answers[i];
      if (target.address.host.empty()) {
        answer = unavailable("NODE_UNREACHABLE", "it has no admin address that is known here");
        return;
      }
      const auto asked = ask_node(target.address, path, targets.timeout, *answer);
      if (!asked) answer = asked.error();
    });
  } else {
    const Target& target = targets.targets.front();
    const auto told = ask_cluster(target, path, targets.timeout);
    if (!told) add(target).answer = told.error();
    for (int i = 0; told && i < told->nodes_size(); ++i) {
      Result<Answer>& answer = add({told->nodes(i).node(), {}}).answer;
      const auto taken = take(told->nodes(i), *answer);
      if (!taken) answer = taken.error();
    }
  }
  for (const auto& [target, answer] : answers) {
    if (!answer)
      complain(io, target, answer.error());
    else if (options.json)
      *io.out << to_json(*answer) << "\n";
  }
  return answers;
}

// 0 if every node answered.
template <class Answer>
int exit_status(const std::vector<Answered<Answer>>& answers) {
  for (const auto& answered : answers)
    if (!answered.answer) return exit_failed;
  return exit_done;
}

// The colour of a state of a node, an actor or a shard.
Tint tint_of_state(const std::string& state);

}  // namespace troupe::cluster
