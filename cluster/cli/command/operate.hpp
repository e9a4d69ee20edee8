// Operating a cluster: what its directory says, and orders to it, at whichever node answers.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cluster/cli/command/ask.hpp"
#include "cluster/cli/command/commands.hpp"
#include "cluster/directory/table.pb.h"

namespace CLI {
class App;
}

namespace troupe::cluster {

struct OperateOptions {
  AskOptions ask;
  std::string node;
  std::string shard;  // "SERVICE/NUMBER"
  std::string from;   // a node, of move; of control: that is to cease
  std::string to;     // a node, of move; of control: that is to come
  std::string service;
  std::uint32_t factor = 0;
  std::uint32_t bucket = 0;  // 0: the middle
  std::string yes;  // the name of the node or shard once more, instead of asking for it; empty: ask
  std::string why;
  bool cancel = false;
  bool no_wait = false;
  bool shards = false;
  std::uint64_t before = 0;
  std::uint32_t limit = 50;
  bool everything = false;
  std::string note;
  std::string format;
  std::vector<std::string> policies;  // KEY=VALUE
  std::vector<std::string> unset;
  bool balancer = false;
};

// The words of these commands; which one was said, run_operate() is told.
void add_operate(CLI::App& app, OperateOptions& options);
bool is_operate(const std::string& word);
int run_operate(const CliIo& io, const std::string& word, const OperateOptions& options);

// Puts a question to one target after the other until one answers. Each failure is complained of.
// A refusal of the cluster itself is final; a node that cannot be reached is passed over.
Result<void> ask_in_turn(const CliIo& io, const Targets& targets,
                         const std::function<Result<void>(const Target&)>& ask);

// The outcome at the first of the targets that carries the order out.
Result<DirectoryOutcome> order_cluster(const CliIo& io, const Targets& targets,
                                       const DirectoryOrder& order);

// The words before what an order did, or the JSON of its outcome.
int print_done(const CliIo& io, const OperateOptions& options, const DirectoryOutcome& outcome,
               const std::string& what);

// A question about what goes on in the cluster, put again and again: the cluster holds the answer
// back until there is something new to what the question says is known, for ten seconds at most.
// Nothing is complained of as long as somebody answers now and then.
class Patient {
 public:
  Patient(const CliIo& io, const Targets& targets);
  // The next answer. An error is final, and has been complained of.
  Result<DirectoryOutcome> ask(DirectoryOrder question);

 private:
  const CliIo& io_;
  Targets targets_;  // with a longer timeout
  std::chrono::steady_clock::time_point heard_ = std::chrono::steady_clock::now();
};

// `troupe split`
int run_split(const CliIo& io, const OperateOptions& options, const Targets& targets);

// "SERVICE/NUMBER". Nullopt, complained of: it is no shard.
std::optional<std::pair<std::string, std::uint32_t>> shard_named(const CliIo& io,
                                                                 const std::string& text);
// Whether the name was typed, or said with --yes; complained of if not.
bool confirmed(const CliIo& io, const OperateOptions& options, const std::string& name,
               const std::string& what);

// "ann@host": whoever runs this command.
std::string whoever_runs(const CliIo& io);

// Tells the audit log what was done in another way; a complaint if it cannot be told.
void note_in_audit(const CliIo& io, const Targets& targets, const std::string& what);

// How the state of a node is called, with what restricts it.
std::string shown_state(const DirectoryNode& node);

// `troupe formats`
int run_formats(const CliIo& io, const OperateOptions& options, const Targets& targets);

// `troupe audit`
int run_audit(const CliIo& io, const OperateOptions& options, const Targets& targets);

// False after a complaint.
bool names_service(const CliIo& io, const std::string& service);

// `troupe policy`
int run_policy(const CliIo& io, const OperateOptions& options, const Targets& targets);

// `troupe directory`
int run_directory(const CliIo& io, const OperateOptions& options);
int run_drain(const CliIo& io, const OperateOptions& options, const Targets& targets);
int run_control(const CliIo& io, const OperateOptions& options, const Targets& targets);
int run_advise(const CliIo& io, const OperateOptions& options, const Targets& targets);

}  // namespace troupe::cluster
