// What a manifest without mistakes becomes.
#include "config/manifest.hpp"

#include "support.hpp"

namespace troupe::config {

using namespace std::chrono_literals;

// Of the ready-made manifests.
static const std::vector<std::string> all_services{"banking.v1.Accounts", "commerce.v1.Catalog",
                                                   "commerce.v1.Inventory", "commerce.v1.Orders"};

TEST_CASE("the ready-made manifest of one node loads without a problem") {
  const Manifest manifest = load(read_source("config/examples/single.toml"), nothing_set,
                                 {.known_services = all_services});
  CHECK(manifest.cluster.name == "single");
  REQUIRE(manifest.nodes.size() == 1);
  const Node* node = manifest.find_node("n1");
  REQUIRE(node);
  CHECK(node->mesh == Address{"127.0.0.1", 7400});
  CHECK(node->gateway == Address{"127.0.0.1", 8080});
  CHECK(node->admin == Address{"127.0.0.1", 7480});
  CHECK(node->data == "./data/n1");
  CHECK(node->hosts("banking.v1.Accounts"));
  CHECK(manifest.service("banking.v1.Accounts").shards == 4);
  CHECK(manifest.service("banking.v1.Accounts").replication_factor == 1);
}

TEST_CASE("the ready-made manifest of three nodes keeps every shard on all of them") {
  const Manifest manifest = load(read_source("config/examples/three.toml"), nothing_set,
                                 {.known_services = all_services});
  CHECK(manifest.cluster.name == "three");
  CHECK(manifest.nodes.size() == 3);
  CHECK(manifest.on_one_machine());
  for (const auto& service : all_services) {
    CHECK(manifest.hosts(service) == 3);
    CHECK(manifest.service(service).replication_factor == 3);
  }
}

TEST_CASE("a node is on the machine that its first address of one names") {
  std::string text = "[cluster]\nname = \"test\"\n";
  text += "[[nodes]]\nname = \"n1\"\nmesh = \"127.0.0.1:1\"\nadmin = \"0.0.0.0:2\"\n";
  CHECK(load(text).nodes.front().machine().empty());
  CHECK(load(text).on_one_machine());
  text += "[[nodes]]\nname = \"n2\"\nmesh = \"127.0.0.1:3\"\nadmin = \"10.0.0.2:4\"\n";
  CHECK(load(text).nodes.back().machine() == "10.0.0.2");
  CHECK_FALSE(load(text).on_one_machine());
}

TEST_CASE("keys that are left out have the defaults of the structs") {
  const Manifest manifest = load(smallest);
  const Manifest defaults;
  CHECK(manifest.service_defaults == defaults.service_defaults);
  CHECK(manifest.gateway == defaults.gateway);
  CHECK(manifest.storage == defaults.storage);
  CHECK(manifest.scheduler == defaults.scheduler);
  CHECK(manifest.log == defaults.log);
  CHECK(manifest.metrics == defaults.metrics);
  const Node& node = manifest.nodes.front();
  CHECK(node.data == "./data/n1");
  CHECK(!node.gateway);
  CHECK(!node.services);
  CHECK(node.has(Role::control));
  CHECK(node.has(Role::worker));
}

TEST_CASE("every key is read into its field") {
  const Manifest manifest = load(R"([cluster]
name = "full"
[[nodes]]
name = "n1"
mesh = "[fd00::1]:7400"
gateway = "0.0.0.0:80"
admin = "LOCALHOST:7480"
data = "/srv/troupe"
roles = ["worker", "control"]
labels = { region = "eu", zone = "a" }
services = ["a.v1.B"]
[cluster.tls]
authority = "certs/authority.pem"
certificate = "certs/nodes/{node}.pem"
key = "certs/nodes/{node}.key"
revoked = "certs/revoked.pem"
[service_defaults]
shards = 8
[services."a.v1.B"]
replication_factor = 1
reply_window = "1h30m"
idempotency_window = "7d"
[services."a.v1.B".limits]
batch_bytes = "128KiB"
batch_commands = 10
batches_in_flight = 2
waiting_commands = 20
resident_bytes = "1GiB"
passivate_after = "90s"
history_page_events = 50
[services."a.v1.B".admission]
enabled = false
latency = "200ms"
in_flight_min = 3
in_flight_max = 70
[services."a.v1.B".restart]
intensity = 0
period = "1m"
backoff_first = "1ms"
backoff_max = "2s"
jitter = 1
[services."a.v1.B".quarantine]
failures = 1
period = "2m"
backoff_first = "3s"
backoff_max = "4s"
[gateway]
header_bytes = "4KiB"
body_bytes = "2MiB"
connections = 5
header_timeout = "1s"
body_timeout = "2s"
request_timeout = "3s"
write_timeout = "4s"
idle_timeout = "5s"
drain_timeout = "0s"
[balancer]
enabled = false
down_after = "2s"
repair_after = "1h"
[storage]
segment_bytes = "32MiB"
reserve_bytes = "1MiB"
commit_entries = 7
commit_bytes = "1MiB"
page_cache_bytes = "2MiB"
apply_rows = 8
apply_after = "9ms"
checkpoint_wal_bytes = "1MiB"
checkpoint_entries = 1000
log_segments = 3
[scheduler]
policy = "stealing"
threads = 2
[log]
level = "debug"
format = "json"
[metrics]
enabled = false
)");
  Manifest expected;
  expected.cluster.name = "full";
  expected.cluster.tls = {"certs/authority.pem", "certs/nodes/{node}.pem", "certs/nodes/{node}.key",
                          "certs/revoked.pem"};
  Node node;
  node.name = "n1";
  node.mesh = {"fd00::1", 7400};
  node.gateway = Address{"0.0.0.0", 80};
  node.admin = {"localhost", 7480};
  node.data = "/srv/troupe";
  node.roles = {Role::worker, Role::control};
  node.labels = {{"region", "eu"}, {"zone", "a"}};
  node.services = {{"a.v1.B"}};
  expected.nodes = {node};
  expected.service_defaults.shards = 8;
  Service service;
  service.shards = 8;
  service.replication_factor = 1;
  service.reply_window = 90min;
  service.idempotency_window = 7 * 24h;
  service.limits = {128 * kibibyte, 10, 2, 20, 1 * gibibyte, 90s, 50};
  service.admission = {false, 200ms, 3, 70};
  service.restart = {0, 1min, 1ms, 2s, 1.0};
  service.quarantine = {1, 2min, 3s, 4s};
  expected.services = {{"a.v1.B", service}};
  expected.gateway = {4 * kibibyte, 2 * mebibyte, 5, 1s, 2s, 3s, 4s, 5s, 0s};
  expected.balancer = {false, 2s, 1h};
  expected.storage = {32 * mebibyte, 1 * mebibyte, 7, 1 * mebibyte, 2 * mebibyte, 8, 9ms,
                      1 * mebibyte,  1000,         3};
  expected.scheduler = {SchedulerPolicy::stealing, 2};
  expected.log = {LogLevel::debug, LogFormat::json};
  expected.metrics = {false};
  CHECK(manifest.nodes == expected.nodes);
  CHECK(manifest.services == expected.services);
  CHECK(manifest == expected);
}

TEST_CASE("the name of a node stands in the paths of its files") {
  const Manifest manifest = load(smallest + R"([cluster.tls]
authority = "/etc/authority.pem"
certificate = "/etc/{node}/{node}.pem"
key = "/etc/{node}.key"
)");
  CHECK(manifest.tls_of(manifest.nodes.front()) ==
        Tls{"/etc/authority.pem", "/etc/n1/n1.pem", "/etc/n1.key", ""});
  CHECK(manifest.cluster.tls.on());
  CHECK_FALSE(load(smallest).cluster.tls.on());
}

TEST_CASE("a replication factor that is not given follows the nodes that host the service") {
  std::string text = "[cluster]\nname = \"test\"\n";
  for (const std::string n : {"1", "2", "3"})
    text += "[[nodes]]\nname = \"n" + n + "\"\nmesh = \"127.0.0." + n +
            ":7400\"\nadmin = \"10.0.0." + n + ":7480\"\n";
  CHECK(load(text).service("a.B").replication_factor == 3);
  CHECK(load(text + "services = []\n").service("a.B").replication_factor == 1);
  CHECK(load(text + "roles = [\"control\"]\n").service("a.B").replication_factor == 1);
  CHECK(load(text + "[service_defaults]\nreplication_factor = 1\n")
            .service("a.B")
            .replication_factor == 1);
}

TEST_CASE("environment variables stand in any value, also in one that is no string") {
  const std::string text = R"([cluster]
name = "${CLUSTER:-fallback}"
[[nodes]]
name = "n${INDEX}"
mesh = "${HOST}:${PORT:-7400}"
admin = "${HOST}:7480"
data = "/srv/$${literal}/${EMPTY:-x}$"
labels = { zone = "${ZONE}" }
services = ["${SERVICE}"]
[service_defaults]
shards = "${SHARDS:-16}"
[service_defaults.restart]
jitter = "0.${INDEX}"
[metrics]
enabled = "${METRICS:-false}"
)";
  const Manifest manifest = load(
      text,
      environment(
          {{"INDEX", "5"}, {"HOST", "10.0.0.9"}, {"EMPTY", ""}, {"ZONE", ""}, {"SERVICE", "a.B"}}));
  CHECK(manifest.cluster.name == "fallback");
  const Node& node = manifest.nodes.front();
  CHECK(node.name == "n5");
  CHECK(node.mesh == Address{"10.0.0.9", 7400});
  CHECK(node.data == "/srv/${literal}/x$");
  CHECK(node.labels.at("zone") == "");
  CHECK(node.services == std::vector<std::string>{"a.B"});
  CHECK(manifest.service_defaults.shards == 16);
  CHECK(manifest.service_defaults.restart.jitter == 0.5);
  CHECK(!manifest.metrics.enabled);
}

TEST_CASE("every variable that is not set, and every bad one, is a problem of its own") {
  CHECK(problems(R"([cluster]
name = "${A}-${B}"
[[nodes]]
name = "n1"
mesh = "${1X}:7400"
admin = "${HOST:7480"
data = "${}"
[service_defaults]
shards = "${SHARDS}"
)",
                 environment({{"SHARDS", "many"}})) ==
        R"(m.toml:2:8: cluster.name: the environment variable A is not set
    set it, or write ${A:-default}
m.toml:2:8: cluster.name: the environment variable B is not set
    set it, or write ${B:-default}
m.toml:5:8: nodes[0].mesh: "${1X}" names no environment variable
    write ${NAME} or ${NAME:-default}, or $${ for a literal ${
m.toml:6:9: nodes[0].admin: "${" is not closed
    write ${NAME}, or $${ for a literal ${
m.toml:7:8: nodes[0].data: "${}" names no environment variable
    write ${NAME} or ${NAME:-default}, or $${ for a literal ${
m.toml:9:10: service_defaults.shards: expected an integer, found the string "many"
    write a whole number from 1 to 4096
)");
}

}  // namespace troupe::config
