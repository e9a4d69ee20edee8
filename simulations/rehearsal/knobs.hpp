// How a seed sets up its nodes: values of the manifest, small enough that checkpoints, cuts of the
// log, passivation, purges, full batches and refusals for too much work happen within a run.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/manifest.hpp"
#include "simulations/world/random.hpp"

namespace troupe::simulations {

// One key of a manifest with a drawn value.
struct Knob {
  std::string section;  // "storage", "service_defaults.limits"
  std::string key;
  std::string value;                             // as TOML writes it
  std::function<bool(config::Manifest&)> apply;  // false: the manifest gives the key, which stays
};

// About a third of the keys of a seed keep their default, and one seed in eight keeps all.
std::vector<Knob> draw_knobs(RandomStream random);

// Those that took effect: "storage.apply_rows" and its value.
std::map<std::string, std::string> apply_knobs(const std::vector<Knob>& knobs,
                                               config::Manifest& manifest);

// Sections of a manifest that say the same.
std::string to_toml(const std::vector<Knob>& knobs);

}  // namespace troupe::simulations
