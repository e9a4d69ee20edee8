// Operating a cluster: what its directory says, and orders to it, at whichever node answers.
#pragma once

#include <cstdint>
#include <string>

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
  std::string from;
  std::string to;
  std::string service;
  std::uint32_t factor = 0;
  std::string yes;  // the node's name once more, instead of asking for it; empty: ask
  std::string why;
  bool cancel = false;
  bool no_wait = false;
  bool shards = false;
  std::uint64_t before = 0;
  std::uint32_t limit = 50;
  bool everything = false;
  std::string note;
  std::string format;
  bool plan = false;  // says in words what is done anyway
};

// The words of these commands; which one was said, run_operate() is told.
void add_operate(CLI::App& app, OperateOptions& options);
bool is_operate(const std::string& word);
int run_operate(const CliIo& io, const std::string& word, const OperateOptions& options);

// The first of the targets that carries the order out, or the last one's refusal, complained of.
// A refusal of the cluster itself is final; a node that cannot be reached is passed over.
Result<DirectoryOutcome> order_cluster(const CliIo& io, const Targets& targets,
                                       const DirectoryOrder& order);

// "ann@host": whoever runs this command.
std::string whoever_runs(const CliIo& io);

// Tells the audit log what was done in another way; a complaint if it cannot be told. A node that
// is alone has none.
void note_in_audit(const CliIo& io, const Targets& targets, const std::string& what);

// How the state of a node is called, with what restricts it.
std::string shown_state(const DirectoryNode& node);

// `troupe formats`
int run_formats(const CliIo& io, const OperateOptions& options, const Targets& targets);

// `troupe audit`
int run_audit(const CliIo& io, const OperateOptions& options, const Targets& targets);

// `troupe directory`
int run_directory(const CliIo& io, const OperateOptions& options);

}  // namespace troupe::cluster
