#include "simulations/cli/request.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>

#include "cluster/cli/command/manifest_file.hpp"
#include "cluster/cli/command/text_file.hpp"
#include "config/loading/suggest.hpp"
#include "config/units.hpp"
#include "simulations/cli/simulation_file.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using cluster::harmless;
using cluster::shell_word;
using config::in_quotes;

constexpr std::uint64_t default_seeds = 100;

// Thrown by what follows and caught by understand(): the first mistake of a command line ends it.
struct Mistake {
  std::string sentence;
};

std::string meant(const std::string& word, const std::vector<std::string>& words) {
  const auto nearest = config::suggest(word, words);
  return nearest ? "; did you mean " + in_quotes(*nearest) + "?" : "";
}

std::uint64_t number(const std::string& option, const std::string& text, std::uint64_t min,
                     std::uint64_t max) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < min || value > max)
    throw Mistake{option + " " + in_quotes(harmless(text)) + " is not a whole number from " +
                  std::to_string(min) + " to " + std::to_string(max)};
  return value;
}

Duration time(const std::string& option, const std::string& text) {
  const auto parsed = config::parse_duration(text);
  if (!parsed || *parsed <= Duration::zero())
    throw Mistake{option + " " + in_quotes(harmless(text)) +
                  " is not a duration above 0s; write 30s, 10m or 1h"};
  return *parsed;
}

std::vector<FaultKind> kinds(const std::string& list) {
  std::vector<FaultKind> result;
  if (list == "none") return result;
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    const std::string word = list.substr(at, comma - at);
    const auto kind = fault_kind(word);
    if (!kind) {
      std::vector<std::string> words;
      std::string all;
      for (const auto& shape : fault_shapes()) {
        words.emplace_back(shape.name);
        all += (all.empty() ? "" : ", ") + words.back();
      }
      const std::string hint = meant(word, words);
      throw Mistake{"--faults: there is no fault " + in_quotes(harmless(word)) +
                    (hint.empty() ? "; write \"none\", or some of " + all : hint)};
    }
    result.push_back(*kind);
    at = comma + 1;
  }
  return result;
}

FaultPlan plan_of(const std::string& file) {
  const auto text = file == "-" ? cluster::read_standard_input()
                                : cluster::read_text_file(file, "a plan of faults");
  if (!text) throw Mistake{"--plan: " + text.error()};
  auto plan = parse_fault_plan(*text);
  if (!plan) throw Mistake{"--plan " + file + ": " + plan.error().message};
  return std::move(*plan);
}

class Understanding {
 public:
  Understanding(const cluster::CliIo& io, const cluster::SimulateOptions& options,
                const Repertoire& repertoire)
      : io_(io), options_(options), repertoire_(repertoire) {}

  // Nullopt: problems of files were printed.
  std::optional<Request> understood() {
    request_.program = io_.program;
    seeds();
    bounds();
    if (!variations()) return std::nullopt;
    vary();
    if (!options_.trace.empty()) trace();
    return std::move(request_);
  }

 private:
  void seeds() {
    Campaign& campaign = request_.campaign;
    constexpr auto any = std::numeric_limits<std::uint64_t>::max();
    if (!options_.seed.empty()) {
      request_.one_seed = true;
      campaign.first = number("--seed", options_.seed, 0, any);
      campaign.seeds = 1;
      return;
    }
    if (!options_.seeds.empty())
      campaign.seeds = number("--seeds", options_.seeds, 1, 1'000'000'000'000);
    else if (options_.time.empty())
      campaign.seeds = default_seeds;
    request_.fresh = options_.first.empty();
    campaign.first =
        request_.fresh ? fresh_seed() : number("--first", options_.first, 0, any - default_seeds);
  }

  void bounds() {
    Campaign& campaign = request_.campaign;
    campaign.crew.run = repertoire_.run;
    campaign.crew.jobs = options_.jobs.empty()
                             ? cores()
                             : static_cast<unsigned>(number("--jobs", options_.jobs, 1, 1024));
    if (!options_.seed_limit.empty())
      campaign.crew.seed_limit = time("--limit", options_.seed_limit);
    campaign.until_failure = options_.until_failure;
    if (!options_.time.empty()) campaign.time = time("--for", options_.time);
    request_.shrink_time = campaign.time.value_or(10min);
  }

  bool variations() {
    if (options_.names.empty()) {
      std::string names;
      for (const auto& simulation : repertoire_.simulations) names += ", " + simulation.name;
      throw Mistake{"name a simulation or a file: all" + names};
    }
    bool good = true;
    for (const auto& name : options_.names) {
      if (name == "all")
        for (const auto& simulation : repertoire_.simulations) add(simulation);
      else if (name.ends_with(".toml"))
        good = add_file(name) && good;
      else
        add_named(name);
    }
    return good;
  }

  void add(const Simulation& simulation) {
    if (is_there(simulation.name)) return;
    Variation variation;
    variation.name = simulation.name;
    variation.simulation = &simulation;
    request_.campaign.variations.push_back(std::move(variation));
  }

  bool is_there(const std::string& name) const {
    const auto& variations = request_.campaign.variations;
    return std::any_of(variations.begin(), variations.end(),
                       [&](const Variation& variation) { return variation.name == name; });
  }

  void add_named(const std::string& name) {
    std::vector<std::string> words{"all"};
    for (const auto& simulation : repertoire_.simulations) {
      if (simulation.name == name) return add(simulation);
      words.push_back(simulation.name);
    }
    const std::string hint = meant(name, words);
    throw Mistake{"there is no simulation " + in_quotes(harmless(name)) +
                  (hint.empty() ? "; 'troupe simulate --list' shows them" : hint)};
  }

  bool add_file(const std::string& name) {
    if (is_there(name)) return true;
    const auto read = [](const std::string& file) {
      return cluster::read_text_file(file, "a manifest");
    };
    const auto text = cluster::read_text_file(name, "a simulation");
    if (!text) throw Mistake{text.error()};
    auto loaded =
        load_simulation_file({*text, name, &repertoire_.simulations, repertoire_.services, read});
    if (!loaded) {
      for (const auto& problem : loaded.error())
        *io_.err << cluster::harmless_lines(problem.describe()) << "\n";
      *io_.err << cluster::problem_count(name, loaded.error().size()) << "\n";
      return false;
    }
    request_.campaign.variations.push_back(std::move(*loaded));
    return true;
  }

  // The command line has the last word.
  void vary() {
    for (auto& variation : request_.campaign.variations) {
      if (!options_.seed.empty() || !options_.seeds.empty()) variation.seeds.reset();
      if (!options_.seed.empty() || !options_.first.empty()) variation.first.reset();
      // The time that was asked for is to be used.
      if (!options_.time.empty() && options_.seeds.empty() && !request_.one_seed)
        variation.seeds.reset();
    }
    if (!options_.faults.empty()) {
      const auto drawn = kinds(options_.faults);
      for (auto& variation : request_.campaign.variations) {
        variation.options.plan.reset();
        variation.options.fault_kinds = drawn;
      }
      request_.varied += " --faults " + shell_word(options_.faults);
    }
    if (!options_.plan.empty()) {
      const auto plan = plan_of(options_.plan);
      for (auto& variation : request_.campaign.variations) variation.options.plan = plan;
      request_.plan_from_input = options_.plan == "-";
      request_.varied += " --plan " + shell_word(options_.plan);
    }
  }

  void trace() {
    if (const std::string why = cluster::why_not_writable(options_.trace); !why.empty())
      throw Mistake{"--trace: " + why};
    request_.trace = options_.trace;
  }

  const cluster::CliIo& io_;
  const cluster::SimulateOptions& options_;
  const Repertoire& repertoire_;
  Request request_;
};

}  // namespace

std::optional<Request> understand(const cluster::CliIo& io, const cluster::SimulateOptions& options,
                                  const Repertoire& repertoire) {
  try {
    return Understanding{io, options, repertoire}.understood();
  } catch (const Mistake& mistake) {
    *io.err << "troupe: " << mistake.sentence << "\n";
    return std::nullopt;
  }
}

}  // namespace troupe::simulations
