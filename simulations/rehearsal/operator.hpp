// Whoever runs the cluster of a rehearsal: asks nodes and orders them on their admin addresses, as
// the `troupe` command does, and decides what becomes of machines that are gone for good
// (FaultKind::gone). Its calls are no operations of a history.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runtime/storage/ids.hpp"
#include "simulations/rehearsal/client.hpp"

namespace troupe::simulations {

class Operator final : public Client {
 public:
  // With what it does so.
  struct Tools {
    std::map<std::string, runtime::Address> admins;  // of every node
    std::function<bool(const std::string& node)> is_gone;
    std::function<void(const std::string& node, bool empty)> bring_back;
    std::function<void(const std::string& folder)> backed_up = {};
    std::function<void(const std::string& node)> retire;
    std::function<std::set<std::string>(runtime::GroupId)> voters;
    std::function<void(const std::string& node, std::vector<std::string> formats)> install;
    std::function<std::optional<Error>(const std::string& node)> why_down;
  };
  Operator(ClientSetting& setting, Tools tools, std::uint64_t number);

  // The body of a 200. UNAVAILABLE, DEADLINE_EXCEEDED: there was no answer; or the error that the
  // node told.
  Task<Result<std::string>> ask(std::string node, std::string path);
  Task<Result<std::string>> order(std::string node, std::string path, std::string json);

  // It is down, and nobody but bring_back() starts it.
  bool is_gone(const std::string& node) const { return tools_.is_gone(node); }
  // The operator's own machine, which no fault harms.
  runtime::Disk& disk();
  // There is a whole backup on it: of the newest one a new cluster is made in the end, if the
  // simulation says so (Rehearsal::restored()).
  void backed_up(const std::string& folder) { tools_.backed_up(folder); }

  // As it was, or with an empty disk, as a replacement.
  void bring_back(const std::string& node, bool empty) { tools_.bring_back(node, empty); }
  // Lets it end in order, and not start again: it is gone then.
  Task<void> stop(std::string node);

  // Another version of the program, which reads these formats: from the node's next start on. It
  // has to be gone.
  void install(const std::string& node, std::vector<std::string> formats) {
    tools_.install(node, std::move(formats));
  }
  // Why it last ended by itself or did not start; nullopt: it is up.
  std::optional<Error> why_down(const std::string& node) const { return tools_.why_down(node); }

  // The nodes of a group's voters, by the newest configuration that is committed anywhere: what is
  // true, whoever says otherwise.
  std::set<std::string> voters(runtime::GroupId group) const { return tools_.voters(group); }

 private:
  Task<Result<std::string>> exchange(std::string node, HttpCall call);

  Tools tools_;
  std::uint64_t number_;
  std::uint64_t exchanges_ = 0;
};

}  // namespace troupe::simulations
