// Every mistake within one section has a place and a remedy. The texts are what a user sees.
#include "support.hpp"

namespace troupe::config {

TEST_CASE("an empty manifest lacks its cluster and its nodes") {
  CHECK(problems("") == R"(m.toml:1:1: cluster.name: required key is missing
    Names the cluster; nodes of another one are refused.
m.toml:1:1: nodes: required key is missing
    One section per node, at least one.
)");
}

TEST_CASE("a node without its required keys is reported at its heading") {
  CHECK(problems(R"([cluster]
name = "test"

[[nodes]]
gateway = "127.0.0.1:8080"
)") == R"(m.toml:4:1: nodes[0].name: required key is missing
    Names the node in logs, metrics and commands. Unique.
m.toml:4:1: nodes[0].mesh: required key is missing
    Where other nodes reach this one.
m.toml:4:1: nodes[0].admin: required key is missing
    Health, metrics and status, for operators. Not for the open network.
)");
}

TEST_CASE("an unknown key is reported with the key that was meant") {
  CHECK(problems(smallest + R"(gatway = "127.0.0.1:80"
Labels = {}
shards = 3
colour = "red"
[Gateway]
[storage]
segment-bytes = "64MiB"
)") == R"(m.toml:7:1: nodes[0].gatway: unknown key
    did you mean "gateway"?
m.toml:8:1: nodes[0].Labels: unknown key
    did you mean "labels"?
m.toml:9:1: nodes[0].shards: unknown key
    it belongs in [service_defaults] or a service's own section
m.toml:10:1: nodes[0].colour: unknown key
    known here: name, mesh, gateway, admin, data, roles, labels, services
m.toml:11:2: Gateway: unknown key
    did you mean "gateway"?
m.toml:13:1: storage.segment-bytes: unknown key
    did you mean "segment_bytes"?
)");
}

TEST_CASE("wrong types are named with what was expected and how to write it") {
  CHECK(problems(R"(cluster = "test"
[[nodes]]
name = 1
mesh = 7400
admin = ["127.0.0.1:7480"]
labels = "eu"
services = "banking.v1.Accounts"
roles = "worker"
[service_defaults]
shards = "4"
replication_factor = 1.5
reply_window = 10
[service_defaults.limits]
batch_bytes = 262144
[service_defaults.restart]
jitter = "much"
[metrics]
enabled = "yes"
[log]
level = 3
)") == R"(m.toml:1:11: cluster: expected a table, found a string
    begin a section with [cluster]
m.toml:3:8: nodes[0].name: expected a string, found an integer
    write a text in quotes
m.toml:4:8: nodes[0].mesh: expected a string, found an integer
    write host:port in quotes, such as "127.0.0.1:8080"
m.toml:5:9: nodes[0].admin: expected a string, found an array
    write host:port in quotes, such as "127.0.0.1:8080"
m.toml:6:10: nodes[0].labels: expected a table, found a string
    write labels = { region = "eu", zone = "a" }
m.toml:7:12: nodes[0].services: expected an array of strings, found a string
    write full names in square brackets, ["banking.v1.Accounts"], or "all"
m.toml:8:9: nodes[0].roles: expected an array of strings, found a string
    write some of "control", "worker" in square brackets
m.toml:10:10: service_defaults.shards: expected an integer, found the string "4"
    write 4 without quotes
m.toml:11:22: service_defaults.replication_factor: expected an integer, found a number with a fraction
    write a whole number from 1 to 5
m.toml:12:16: service_defaults.reply_window: expected a string, found an integer
    write a number and its unit in quotes, such as "250ms", "10s" or "24h"
m.toml:14:15: service_defaults.limits.batch_bytes: expected a string, found an integer
    write a number and its unit in quotes, such as "256KiB" or "64MiB"
m.toml:16:10: service_defaults.restart.jitter: expected a number, found the string "much"
    write a number from 0 to 1
m.toml:18:11: metrics.enabled: expected true or false, found the string "yes"
    write true or false
m.toml:20:9: log.level: expected a string, found an integer
    write one of "debug", "info", "warn", "error"
)");
}

TEST_CASE("a gateway with one of its two files is a mistake") {
  for (const std::string key : {"certificate", "key"})
    CHECK(problems(smallest + "[gateway.tls]\n" + key + " = \"a.pem\"") ==
          R"(m.toml:7:1: gateway.tls: a file is missing
    name certificate and key, or leave the section out
)");
  CHECK(problems(smallest + "[gateway.tls]\ncertificate = \"a\"\nkey = \"b\"") == "");
}

TEST_CASE("origins of pages are what browsers send") {
  const std::string start = smallest + "[gateway.cors]\n";
  CHECK(problems(start + R"(origins = ["https://shop.example", "http://[::1]:3000"])") == "");
  CHECK(problems(start + R"(origins = ["*"])") == "");
  CHECK(problems(start + R"(origins = ["*"]
credentials = true)") ==
        R"(m.toml:9:15: gateway.cors.credentials: pages of any origin would act as their visitor
    name the origins that may, or leave credentials out
)");
  for (const std::string wrong : {"shop.example", "https://shop.example/", "ftp://a", "https://A",
                                  "https://a:", "https://a:123456", "*.example", "https://"}) {
    CAPTURE(wrong);
    CHECK(problems(start + "origins = [\"" + wrong + "\"]").find("is not an origin") !=
          std::string::npos);
  }
  CHECK(problems(start + R"(origins = ["http://a", "http://a"])").find("stands here twice") !=
        std::string::npos);
  CHECK(problems(start + R"(origins = "http://a")").find("write origins in square brackets") !=
        std::string::npos);
}

TEST_CASE("values that cannot be are reported with the range or the words that can") {
  CHECK(problems(R"([cluster]
name = "My cluster"
[[nodes]]
name = "-n1"
mesh = "127.0.0.1:7400"
admin = "127.0.0.1:7480"
data = ""
roles = ["workr", "worker", "worker"]
labels = { Region = "eu", zone = 1 }
services = ["Accounts", "a.B", "a.B"]
[service_defaults]
shards = 0
idempotency_window = "10 minutes"
reply_window = "1ms"
[service_defaults.restart]
intensity = -1
jitter = nan
[gateway]
body_bytes = "1MB"
header_bytes = "1GiB"
[log]
level = "warning"
format = "xml"
)") == R"(m.toml:2:8: cluster.name: "My cluster" is not a name
    a name has 1 to 63 lower-case letters, digits and '-', no '-' at its ends
m.toml:4:8: nodes[0].name: "-n1" is not a name
    a name has 1 to 63 lower-case letters, digits and '-', no '-' at its ends
m.toml:7:8: nodes[0].data: the path is empty
    write a folder, such as "./data/n1"
m.toml:8:10: nodes[0].roles[0]: "workr" is not one of "control", "worker"
    did you mean "worker"?
m.toml:8:29: nodes[0].roles[2]: "worker" stands here twice
    write each once
m.toml:9:12: nodes[0].labels.Region: "Region" is not a name
    a name has 1 to 63 lower-case letters, digits and '-', no '-' at its ends
m.toml:9:34: nodes[0].labels.zone: expected a string, found an integer
    write the value in quotes
m.toml:10:13: nodes[0].services[0]: "Accounts" is not the full name of a service
    write it with its package, such as "banking.v1.Accounts"
m.toml:10:32: nodes[0].services[2]: "a.B" stands here twice
    write each once
m.toml:12:10: service_defaults.shards: 0 is out of range
    write a whole number from 1 to 4096
m.toml:13:22: service_defaults.idempotency_window: "10 minutes" is not a duration
    write whole numbers with us, ms, s, m, h or d, such as "250ms", "10s" or "1h30m"
m.toml:14:16: service_defaults.reply_window: "1ms" is out of range
    write a duration from "1s" to "30d"
m.toml:16:13: service_defaults.restart.intensity: -1 is out of range
    write a whole number from 0 to 1000
m.toml:17:10: service_defaults.restart.jitter: nan is out of range
    write a number from 0 to 1
m.toml:19:14: gateway.body_bytes: "1MB" is not a size
    write a whole number with B, KiB, MiB, GiB or TiB, such as "256KiB"
m.toml:20:16: gateway.header_bytes: "1GiB" is out of range
    write a size from "1KiB" to "1MiB"
m.toml:22:9: log.level: "warning" is not one of "debug", "info", "warn", "error"
    did you mean "warn"?
m.toml:23:10: log.format: "xml" is not one of "auto", "text", "json"
    write one of "auto", "text", "json"
)");
}

TEST_CASE("bad addresses are reported with the form that was meant") {
  CHECK(problems(R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1"
gateway = ":8080"
admin = "http://localhost:7480"
[[nodes]]
name = "n2"
mesh = "::1:7400"
gateway = "256.0.0.1:80"
admin = "n2:70000"
[[nodes]]
name = "n3"
mesh = "[n3]:7400"
gateway = "a b:80"
admin = ""
)") == R"(m.toml:5:8: nodes[0].mesh: "127.0.0.1" has no port
    write host:port, such as "127.0.0.1:8080"
m.toml:6:11: nodes[0].gateway: ":8080" has no host
    write "0.0.0.0:8080" for every interface
m.toml:7:9: nodes[0].admin: "http://localhost:7480" is a URL, not an address
    write "localhost:7480", without the scheme
m.toml:10:8: nodes[1].mesh: "::1:7400" is an IPv6 address without brackets
    write [address]:port, such as "[::1]:8080"
m.toml:11:11: nodes[1].gateway: "256.0.0.1" is not an IPv4 address
    four numbers from 0 to 255 with dots between them
m.toml:12:9: nodes[1].admin: "70000" is not a port
    a port is a number from 1 to 65535, or 0 for any free one
m.toml:15:8: nodes[2].mesh: "n3" is not an IPv6 address
    brackets are for IPv6 alone; write names and IPv4 addresses without them
m.toml:16:11: nodes[2].gateway: "a b" is neither a host name nor an IP address
    a name has letters, digits, '-' and '.'
m.toml:17:9: nodes[2].admin: the address is empty
    write host:port
)");
}

TEST_CASE("a service name without quotes is reported with the quotes it needs") {
  CHECK(problems(smallest + R"([services.banking.v1.Accounts]
shards = 2
[services.banking.v1.Accounts.limits]
batch_commands = 1
[services."banking.v1.Accounts"]
shards = 3
[services.Accounts]
shards = 1
[services]
"a.b..C" = {}
"a.B" = 3
)") == R"(m.toml:7:11: services.banking: not the full name of a service
    put the name in quotes: [services."banking.v1.Accounts"]
m.toml:13:11: services.Accounts: not the full name of a service
    write it with its package, in quotes: [services."banking.v1.Accounts"]
m.toml:16:1: services."a.b..C": not the full name of a service
    write it with its package, in quotes: [services."banking.v1.Accounts"]
m.toml:17:9: services."a.B": expected a table, found an integer
    begin it with [services."a.B"]
)");
}

TEST_CASE("nodes that are not sections are reported as such") {
  CHECK(problems("nodes = []\n[cluster]\nname = \"test\"\n") ==
        "m.toml:1:9: nodes: there must be at least one\n    add [[nodes]]\n");
  CHECK(problems("nodes = [1]\n[cluster]\nname = \"test\"\n") ==
        "m.toml:1:10: nodes[0]: expected a table, found an integer\n"
        "    begin each with [[nodes]]\n");
  CHECK(problems("[cluster]\nname = \"test\"\n[nodes]\nname = \"n1\"\n") ==
        "m.toml:3:1: nodes: expected an array of tables, found a table\n"
        "    begin each with [[nodes]]\n");
}

}  // namespace troupe::config
