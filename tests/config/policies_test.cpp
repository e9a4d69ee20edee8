// Settings that may change while a cluster runs, by key and text.
#include "config/policies.hpp"
#include "config/loading/reference.hpp"
#include "support.hpp"

namespace troupe::config {
namespace {

std::string complaints(const Policies& policies) {
  Service service;
  std::string text;
  for (const Problem& problem : apply_policies(service, policies))
    text += problem.path + ": " + problem.message + " | " + problem.hint + "\n";
  return text;
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a policy is written as in a manifest, with or without the quotes of a text") {
  Service service;
  CHECK(apply_policies(service, {{"limits.waiting_commands", "20000"},
                                 {"limits.resident_bytes", "128MiB"},
                                 {"limits.passivate_after", "\"90s\""},
                                 {"restart.jitter", "0.5"},
                                 {"stale_age_max", "2h"}})
            .empty());
  CHECK(service.limits.waiting_commands == 20'000);
  CHECK(service.limits.resident_bytes == 128 * mebibyte);
  CHECK(service.limits.passivate_after == std::chrono::seconds{90});
  CHECK(service.restart.jitter == 0.5);
  CHECK(service.stale_age_max == std::chrono::hours{2});
  Balancer balancer;
  CHECK(apply_policies(balancer, {{"enabled", "false"}, {"repair_after", "10m"}}).empty());
  CHECK_FALSE(balancer.enabled);
  CHECK(balancer.repair_after == std::chrono::minutes{10});
}

TEST_CASE("what is wrong with a policy is said as of a manifest, and the others hold") {
  CHECK(has(complaints({{"limits.waiting_comands", "5"}}), "did you mean \"waiting_commands\"?"));
  CHECK(has(complaints({{"waiting_commands", "5"}}), "it belongs in [service_defaults.limits]"));
  CHECK(has(complaints({{"limits.waiting_commands", "0"}}), "0 is out of range"));
  CHECK(has(complaints({{"limits.waiting_commands", "many"}}), "expected an integer"));
  CHECK(has(complaints({{"limits.waiting_commands", "1\nlimits = 2"}}), "expected an integer"));
  CHECK(has(complaints({{"stale_age_max", "10"}}), "such as \"250ms\""));
  CHECK(has(complaints({{"stale_age_max", "${HOME}"}}), "stale_age_max: "));
  CHECK(has(complaints({{"", "1"}}), "unknown key"));
  CHECK(has(complaints({{"limits", "1"}}), "expected a table"));
  CHECK(has(complaints({{std::string(1'000'000, '.'), "1"}}), "too long"));

  Service service;
  CHECK(apply_policies(service, {{"limits.batch_commands", "0"}, {"quarantine.failures", "9"}})
            .size() == 1);
  CHECK(service.limits.batch_commands == Service{}.limits.batch_commands);
  CHECK(service.quarantine.failures == 9);
}

TEST_CASE("what decides where keys are, or what ran already, is no policy") {
  CHECK(has(complaints({{"shards", "8"}}), "'troupe split'"));
  CHECK(has(complaints({{"replication_factor", "5"}}), "'troupe replicate'"));
  CHECK(has(complaints({{"reply_window", "1h"}}), "could run twice"));
  CHECK(has(complaints({{"idempotency_window", "1h"}}), "could run twice"));
}

TEST_CASE("waits that contradict each other are found in what holds together") {
  Service service;
  CHECK(apply_policies(service, {{"restart.backoff_first", "1m"}}).empty());
  REQUIRE(contradictions(service).size() == 1);
  CHECK(contradictions(service).front().path == "restart.backoff_first");
  CHECK(apply_policies(service, {{"restart.backoff_max", "2m"}}).empty());
  CHECK(contradictions(service).empty());
}

TEST_CASE("the settings of a service are the keys of docs/manifest.md, each as it may be written") {
  std::vector<std::string> documented;
  for (const SectionReference& section : reference()) {
    if (!section.heading.starts_with("[service_defaults")) continue;
    std::string prefix = section.heading.substr(1, section.heading.size() - 2);
    prefix.erase(0, std::string{"service_defaults"}.size());
    if (!prefix.empty()) prefix = prefix.substr(1) + ".";
    for (const KeyReference& key : section.keys)
      documented.push_back(prefix + key.name + (key.policy ? "" : " fixed"));
  }
  std::vector<std::string> listed;
  Policies all;
  for (const Setting& setting : settings_of(Service{})) {
    listed.push_back(setting.key + (setting.fixed.empty() ? "" : " fixed"));
    if (setting.fixed.empty()) all[setting.key] = setting.value;
  }
  CHECK(listed == documented);
  Service service;
  CHECK(apply_policies(service, all).empty());
  CHECK(service == Service{});
  CHECK(settings_of(Balancer{}).size() == 4);
}

}  // namespace troupe::config
