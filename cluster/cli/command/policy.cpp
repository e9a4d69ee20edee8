// `troupe policy`: settings that change while the cluster runs.
#include <algorithm>

#include "cluster/cli/command/operate.hpp"
#include "cluster/cli/command/table.hpp"
#include "config/problem.hpp"

namespace troupe::cluster {
namespace {

constexpr const char* balancer_name = "balancer";

// What the command line means; `of` is empty: of all.
struct PolicyWords {
  std::string of;
  std::vector<std::string> settings;
};

PolicyWords policy_words(const OperateOptions& options) {
  if (!options.balancer) return {options.service, options.policies};
  PolicyWords words{balancer_name, options.policies};
  // There is no service to name, so that what stands in its place is a setting.
  if (!options.service.empty()) words.settings.insert(words.settings.begin(), options.service);
  return words;
}

// False after a complaint.
bool add_setting(const CliIo& io, DirectoryOrder::Policy& order, const std::string& setting) {
  const auto equals = setting.find('=');
  if (equals == std::string::npos || equals == 0) {
    *io.err << "troupe: " << config::in_quotes(harmless(setting))
            << " sets nothing: write KEY=VALUE, such as limits.waiting_commands=20000\n";
    return false;
  }
  auto& set = *order.add_set();
  set.set_key(setting.substr(0, equals));
  set.set_value(setting.substr(equals + 1));
  return true;
}

void print_differences(const CliIo& io, const PolicyReport& report) {
  Table table{{{"OF"}, {"KEY"}, {"VALUE"}, {"MANIFEST"}}};
  for (const auto& group : report.groups())
    for (const auto& value : group.values())
      if (value.from() == "cluster")
        table.add({{harmless(group.of()), Tint::strong},
                   harmless(value.key()),
                   harmless(value.value()),
                   {harmless(value.manifest()), Tint::faint}});
  if (table.empty())
    *io.out << "Nothing is different from the manifest of node " << harmless(report.node())
            << ".\n";
  else
    table.print(io);
}

void print_group(const CliIo& io, const PolicyReport& report) {
  Table table{{{"KEY"}, {"VALUE"}, {"FROM"}, {"MANIFEST"}, {"WHILE IT RUNS"}}};
  for (const auto& group : report.groups())
    for (const auto& value : group.values()) {
      const bool differs = value.from() == "cluster";
      table.add({{harmless(value.key()), Tint::strong},
                 harmless(value.value()),
                 {harmless(value.from()), differs ? Tint::warning : Tint::none},
                 {differs ? harmless(value.manifest()) : "", Tint::faint},
                 {value.fixed().empty() ? "yes" : "no", Tint::faint}});
    }
  table.print(io);
  *io.out << "\nAs node " << harmless(report.node()) << " has it.\n";
}

}  // namespace

int run_policy(const CliIo& io, const OperateOptions& options, const Targets& targets) {
  const PolicyWords words = policy_words(options);
  if (!words.of.empty() && words.of != balancer_name && !names_service(io, words.of))
    return exit_usage;
  DirectoryOrder order;
  order.set_why(options.why);
  auto& policy = *order.mutable_policy();
  policy.set_of(words.of);
  for (const std::string& setting : words.settings)
    if (!add_setting(io, policy, setting)) return exit_usage;
  for (const std::string& key : options.unset) policy.add_unset(key);
  const bool changes = !policy.set().empty() || !policy.unset().empty();
  if (changes && words.of.empty()) {
    *io.err << "troupe: of which service? Name it, or say --balancer\n";
    return exit_usage;
  }
  const auto outcome = order_cluster(io, targets, order);
  if (!outcome) return exit_failed;
  if (changes)
    return print_done(io, options, *outcome,
                      "All nodes go by it from now on; 'troupe policy" +
                          (options.balancer ? std::string{" --balancer"} : " " + words.of) +
                          "' shows what holds");
  if (options.ask.json)
    *io.out << to_json(outcome->policies()) << "\n";
  else if (words.of.empty())
    print_differences(io, outcome->policies());
  else
    print_group(io, outcome->policies());
  return exit_done;
}

}  // namespace troupe::cluster
