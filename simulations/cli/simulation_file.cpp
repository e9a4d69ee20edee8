#include "simulations/cli/simulation_file.hpp"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <sstream>
#include <tuple>

#include "config/load.hpp"
#include "config/loading/manifest_table.hpp"
#include "config/loading/reader.hpp"
#include "config/loading/syntax.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using config::in_quotes;
using config::Key;

const config::Environment no_variables = [](const std::string&) { return std::nullopt; };

constexpr config::Range<Duration> durations{1s, 24h};
constexpr config::Range<std::uint32_t> client_counts{1, 1000};
constexpr config::Range<std::uint32_t> seed_counts{1, 1'000'000'000};

// Hints name sections of a manifest that is a file: "[gateway]" is "[manifest.gateway]" here.
std::string with_longer_headings(const std::string& hint) {
  std::string text;
  for (std::size_t i = 0; i < hint.size(); ++i) {
    text += hint[i];
    if (hint[i] == '[' && i + 1 < hint.size() && hint[i + 1] >= 'a' && hint[i + 1] <= 'z')
      text += "manifest.";
  }
  return text;
}

class SimulationFile {
 public:
  explicit SimulationFile(const SimulationFileInput& input)
      : input_(input),
        parsed_(config::parse_toml(input.text, input.file)),
        complete_(parsed_.problems.empty()),
        problems_(std::move(parsed_.problems)),
        reader_({&parsed_.root, input.file, no_variables, complete_, {}, false}, problems_,
                places_) {}

  tl::expected<Variation, std::vector<config::Problem>> load() {
    variation_.name = input_.file;
    workload();
    duration();
    clients();
    seeds();
    faults();
    plan();
    manifest();
    reader_.finish();
    if (problems_.empty()) return std::move(variation_);
    // Those of a manifest's own file come last.
    std::stable_sort(problems_.begin(), problems_.end(),
                     [this](const config::Problem& a, const config::Problem& b) {
                       return std::make_tuple(a.file != input_.file, a.line, a.column) <
                              std::make_tuple(b.file != input_.file, b.line, b.column);
                     });
    return tl::make_unexpected(std::move(problems_));
  }

 private:
  void workload() {
    std::vector<std::string_view> names;
    for (const auto& simulation : *input_.simulations) names.emplace_back(simulation.name);
    std::size_t chosen = names.size();
    reader_.choice({"workload", "The name of a declared simulation; --list shows them.", true},
                   chosen, names);
    if (chosen < names.size()) variation_.simulation = &(*input_.simulations)[chosen];
  }

  void duration() {
    Duration value{};
    reader_.duration({"duration", "Of the part with faults, in simulated time."}, value, durations);
    if (places_.contains("duration")) variation_.options.duration = value;
  }

  void clients() {
    std::uint32_t value = 0;
    reader_.integer({"clients", "Clients that work at the same time."}, value, client_counts);
    if (places_.contains("clients")) variation_.options.clients = value;
  }

  void seeds() {
    std::uint32_t count = 0;
    reader_.integer({"seeds", "How many seeds."}, count, seed_counts);
    if (places_.contains("seeds")) variation_.seeds = count;
    const auto* node = reader_.find({"first_seed", "Seeds are counted up from here."});
    if (!node) return;
    const auto first = node->value_exact<std::int64_t>();
    if (!first)
      reader_.wrong_type(*node, "first_seed", "an integer", "write a whole number from 0 on");
    else if (*first < 0)
      reader_.problem(config::place_of(*node), "first_seed",
                      std::to_string(*first) + " is out of range",
                      "write a whole number from 0 on");
    else
      variation_.first = static_cast<std::uint64_t>(*first);
  }

  void faults() {
    const Key key{"faults", "Kinds that are drawn."};
    const auto* node = reader_.find(key);
    if (!node) return;
    if (const auto word = node->value_exact<std::string>(); word && *word == "none") {
      variation_.options.fault_kinds.emplace();
      return;
    }
    if (!node->is_array()) {
      reader_.wrong_type(*node, "faults", "an array of strings or \"none\"",
                         "write kinds in square brackets, such as [\"power_cut\"], or \"none\"");
      return;
    }
    std::vector<std::string_view> names;
    for (const auto& shape : fault_shapes()) names.push_back(shape.name);
    std::vector<std::size_t> positions;
    reader_.choices(key, positions, names);
    std::vector<FaultKind> kinds;
    for (const std::size_t position : positions) kinds.push_back(fault_shapes()[position].kind);
    variation_.options.fault_kinds = std::move(kinds);
  }

  void plan() {
    const auto* node = reader_.find({"plan", "Exactly these faults, one a line."});
    if (!node) return;
    if (!node->is_string()) {
      reader_.wrong_type(*node, "plan", "a string",
                         "write one fault a line between \"\"\" and \"\"\"");
      return;
    }
    if (parsed_.root.contains("faults"))
      reader_.problem(config::place_of(*node), "plan", "it leaves nothing to be drawn",
                      "leave out plan or faults");
    // Line by line, with as many empty lines before it as the file has: messages that name a line
    // name one of the file, and each mistake is found.
    FaultPlan plan;
    std::istringstream lines{node->ref<std::string>()};
    std::uint32_t number = first_line_of_text(*node);
    for (std::string line; std::getline(lines, line); ++number) {
      auto parsed = parse_fault_plan(std::string(number - 1, '\n') + line);
      if (!parsed) {
        const auto column = std::min(line.find_first_not_of(" \t"), line.size()) + 1;
        reader_.problem({number, static_cast<std::uint32_t>(column)}, "plan",
                        parsed.error().message, "");
      } else {
        plan.insert(plan.end(), parsed->begin(), parsed->end());
      }
    }
    std::stable_sort(plan.begin(), plan.end(),
                     [](const Fault& a, const Fault& b) { return a.at < b.at; });
    variation_.options.plan = std::move(plan);
  }

  // Of a string's content: behind an opening """ that ends its line it is the next line.
  std::uint32_t first_line_of_text(const toml::node& node) const {
    const auto place = config::place_of(node);
    std::istringstream lines{input_.text};
    std::string line;
    for (std::uint32_t number = 0; number < place.line; ++number) std::getline(lines, line);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const bool opens = line.ends_with("\"\"\"") || line.ends_with("'''");
    return opens && line.size() == place.column + 2 ? place.line + 1 : place.line;
  }

  void manifest() {
    const auto* node = reader_.find({"manifest", "A file, or sections of a manifest."});
    if (!node) return;
    if (const auto* table = node->as_table())
      inline_manifest(*table);
    else if (const auto path = node->value_exact<std::string>())
      manifest_file(*node, *path);
    else
      reader_.wrong_type(
          *node, "manifest", "a path or a table",
          "write manifest = \"cluster.toml\", or sections such as [manifest.cluster]");
  }

  void inline_manifest(const toml::table& table) {
    std::vector<config::Problem> found;
    config::read_manifest_table(
        {&table, input_.file, no_variables, complete_, config::place_of(table)}, {input_.services},
        found);
    for (auto& problem : found) {
      problem.hint = with_longer_headings(problem.hint);
      problem.path = problem.path.empty() ? "manifest" : "manifest." + problem.path;
      problems_.push_back(std::move(problem));
    }
    std::ostringstream text;
    text << table << "\n";
    variation_.options.manifest = text.str();
  }

  void manifest_file(const toml::node& node, const std::string& path) {
    const std::string file = (std::filesystem::path{input_.file}.parent_path() / path).string();
    auto text = input_.read(file);
    if (!text) {
      reader_.problem(config::place_of(node), "manifest", text.error(),
                      "a path begins in the folder of this file");
      return;
    }
    const auto loaded = config::load_manifest(*text, file, no_variables, {input_.services});
    if (!loaded)
      problems_.insert(problems_.end(), loaded.error().begin(), loaded.error().end());
    else
      variation_.options.manifest = std::move(*text);
  }

  const SimulationFileInput& input_;
  config::Parsed parsed_;
  bool complete_;
  std::vector<config::Problem> problems_;
  config::Places places_;
  config::Reader reader_;
  Variation variation_;
};

}  // namespace

tl::expected<Variation, std::vector<config::Problem>> load_simulation_file(
    const SimulationFileInput& input) {
  return SimulationFile{input}.load();
}

}  // namespace troupe::simulations
