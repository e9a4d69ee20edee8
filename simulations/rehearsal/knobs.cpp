#include "simulations/rehearsal/knobs.hpp"

#include <map>
#include <utility>

#include "config/units.hpp"
#include "runtime/time.hpp"

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;
using config::kibibyte;
using config::Manifest;
using config::mebibyte;

class Drawing {
 public:
  explicit Drawing(RandomStream random) : random_(random), plain_(random_.between(1, 8) == 1) {}

  // `field` finds the value in a manifest; `pick` draws it. The same draws are made whatever is
  // kept, so that one knob moves no other.
  template <class Field, class Value>
  void add(std::string section, std::string key, Field field, Value value, std::string text) {
    const bool keep = random_.between(1, 3) == 1;
    if (plain_ || keep) return;
    knobs_.push_back(
        {std::move(section), std::move(key), std::move(text), [field, value](Manifest& manifest) {
           Manifest untouched;
           if (field(manifest) != field(untouched)) return false;
           field(manifest) = value;
           return true;
         }});
  }

  template <class Field>
  void count(const std::string& section, const std::string& key, Field field, std::uint32_t low,
             std::uint32_t high) {
    const auto value = static_cast<std::uint32_t>(skewed(low, high));
    add(section, key, field, value, std::to_string(value));
  }
  template <class Field>
  void size(const std::string& section, const std::string& key, Field field, std::uint64_t low,
            std::uint64_t high) {
    const auto value = skewed(low, high);
    add(section, key, field, value, '"' + std::to_string(value) + "B\"");
  }
  template <class Field>
  void duration(const std::string& section, const std::string& key, Field field, Duration low,
                Duration high) {
    const auto ms = [](Duration time) {
      return static_cast<std::uint64_t>(
          std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
    };
    const auto value = skewed(ms(low), ms(high));
    add(section, key, field, Duration{std::chrono::milliseconds{value}},
        '"' + std::to_string(value) + "ms\"");
  }

  std::vector<Knob> take() { return std::move(knobs_); }

 private:
  // Small values as often as large ones: the logarithm is even.
  std::uint64_t skewed(std::uint64_t low, std::uint64_t high) {
    auto bound = high;
    for (auto halvings = random_.between(0, 9); halvings > 0 && bound / 2 > low; --halvings)
      bound /= 2;
    return random_.between(low, std::max(low, bound));
  }

  RandomStream random_;
  bool plain_;
  std::vector<Knob> knobs_;
};

}  // namespace

std::vector<Knob> draw_knobs(RandomStream random) {
  Drawing draw{random};
  const std::string storage = "storage";
  draw.size(
      storage, "segment_bytes", [](Manifest & m) -> auto& { return m.storage.segment_bytes; },
      1 * mebibyte, 4 * mebibyte);
  draw.size(
      storage, "reserve_bytes", [](Manifest & m) -> auto& { return m.storage.reserve_bytes; },
      1 * mebibyte, 2 * mebibyte);
  draw.count(
      storage, "commit_entries", [](Manifest & m) -> auto& { return m.storage.commit_entries; }, 1,
      64);
  draw.count(
      storage, "apply_rows", [](Manifest & m) -> auto& { return m.storage.apply_rows; }, 1, 2000);
  draw.duration(
      storage, "apply_after", [](Manifest & m) -> auto& { return m.storage.apply_after; }, 1ms, 5s);
  draw.size(
      storage, "checkpoint_wal_bytes",
      [](Manifest & m) -> auto& { return m.storage.checkpoint_wal_bytes; }, 256 * kibibyte,
      4 * mebibyte);
  draw.count(
      storage, "checkpoint_entries",
      [](Manifest & m) -> auto& { return m.storage.checkpoint_entries; }, 100, 2000);
  draw.count(
      storage, "log_segments", [](Manifest & m) -> auto& { return m.storage.log_segments; }, 2, 4);

  const std::string limits = "service_defaults.limits";
  draw.size(
      limits, "batch_bytes",
      [](Manifest & m) -> auto& { return m.service_defaults.limits.batch_bytes; }, 4 * kibibyte,
      64 * kibibyte);
  draw.count(
      limits, "batch_commands",
      [](Manifest & m) -> auto& { return m.service_defaults.limits.batch_commands; }, 1, 32);
  draw.count(
      limits, "batches_in_flight",
      [](Manifest & m) -> auto& { return m.service_defaults.limits.batches_in_flight; }, 1, 8);
  draw.count(
      limits, "waiting_commands",
      [](Manifest & m) -> auto& { return m.service_defaults.limits.waiting_commands; }, 4, 1000);
  draw.size(
      limits, "resident_bytes",
      [](Manifest & m) -> auto& { return m.service_defaults.limits.resident_bytes; }, 1 * mebibyte,
      8 * mebibyte);
  draw.duration(
      limits, "passivate_after",
      [](Manifest & m) -> auto& { return m.service_defaults.limits.passivate_after; }, 1s, 20s);
  draw.count(
      limits, "history_page_events",
      [](Manifest & m) -> auto& { return m.service_defaults.limits.history_page_events; }, 1, 100);

  const std::string defaults = "service_defaults";
  draw.count(
      defaults, "shards", [](Manifest & m) -> auto& { return m.service_defaults.shards; }, 1, 6);
  draw.duration(
      defaults, "reply_window",
      [](Manifest & m) -> auto& { return m.service_defaults.reply_window; }, 8s, 60s);
  draw.duration(
      defaults, "idempotency_window",
      [](Manifest & m) -> auto& { return m.service_defaults.idempotency_window; }, 8s, 60s);
  draw.duration(
      "gateway", "request_timeout", [](Manifest & m) -> auto& { return m.gateway.request_timeout; },
      500ms, 10s);
  return draw.take();
}

std::map<std::string, std::string> apply_knobs(const std::vector<Knob>& knobs,
                                               config::Manifest& manifest) {
  std::map<std::string, std::string> applied;
  for (const auto& knob : knobs) {
    if (knob.apply(manifest)) applied[knob.section + '.' + knob.key] = knob.value;
  }
  return applied;
}

std::string to_toml(const std::vector<Knob>& knobs) {
  std::map<std::string, std::string> sections;
  for (const auto& knob : knobs) sections[knob.section] += knob.key + " = " + knob.value + '\n';
  std::string toml;
  for (const auto& [section, keys] : sections) toml += '[' + section + "]\n" + keys + '\n';
  return toml;
}

}  // namespace troupe::simulations
