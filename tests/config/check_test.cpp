// Contradictions between sections.
#include "support.hpp"

namespace troupe::config {

TEST_CASE("two nodes of one name are reported at the second") {
  CHECK(problems(R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
admin = "10.0.0.1:7480"
[[nodes]]
name = "n1"
mesh = "127.0.0.2:7400"
admin = "10.0.0.2:7480"
)") == R"(m.toml:8:8: nodes[1].name: the node of line 4 has the name "n1", too
    give every node a name of its own
)");
}

TEST_CASE("one port twice on one machine is a clash, within a node and between nodes") {
  CHECK(
      problems(R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
gateway = "0.0.0.0:7400"
admin = "localhost:7400"
[[nodes]]
name = "n2"
mesh = "127.0.0.1:7401"
gateway = "[::1]:7400"
admin = "127.0.0.1:7400"
)") ==
      R"(m.toml:6:11: nodes[0].gateway: port 7400 is taken on this machine by nodes[0].mesh (line 5)
    give every address on a machine a port of its own
m.toml:7:9: nodes[0].admin: port 7400 is taken on this machine by nodes[0].mesh (line 5)
    give every address on a machine a port of its own
m.toml:11:11: nodes[1].gateway: port 7400 is taken on this machine by nodes[0].gateway (line 6)
    give every address on a machine a port of its own
m.toml:12:9: nodes[1].admin: port 7400 is taken on this machine by nodes[0].mesh (line 5)
    give every address on a machine a port of its own
)");
}

TEST_CASE("nodes on different machines may use the same ports, wildcards and folders") {
  CHECK(problems(R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "10.0.0.1:7400"
gateway = "0.0.0.0:8080"
admin = "127.0.0.1:7480"
data = "/var/lib/troupe"
[[nodes]]
name = "n2"
mesh = "n2.example.org:7400"
gateway = "[::]:8080"
admin = "127.0.0.1:7480"
data = "/var/lib/troupe"
[cluster.tls]
authority = "/etc/troupe/authority.pem"
certificate = "/etc/troupe/{node}.pem"
key = "/etc/troupe/{node}.key"
)") == "");
}

TEST_CASE("a port of zero never clashes, but other nodes cannot connect to it") {
  CHECK(problems(R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:0"
gateway = "127.0.0.1:0"
admin = "127.0.0.1:0"
)") == "");
  CHECK(problems(R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:0"
admin = "127.0.0.1:0"
[[nodes]]
name = "n2"
mesh = "[::]:7400"
admin = "127.0.0.1:0"
)") == R"(m.toml:5:8: nodes[0].mesh: other nodes cannot connect to 127.0.0.1:0
    write the address and the port under which they reach this node
m.toml:9:8: nodes[1].mesh: other nodes cannot connect to [::]:7400
    write the address and the port under which they reach this node
)");
}

TEST_CASE("plain text does not leave a machine") {
  const auto two = [](const std::string& one, const std::string& other, const std::string& rest) {
    return "[cluster]\nname = \"test\"\n[[nodes]]\nname = \"n1\"\nmesh = \"" + one +
           "\"\nadmin = \"127.0.0.1:7480\"\n[[nodes]]\nname = \"n2\"\nmesh = \"" + other +
           "\"\nadmin = \"127.0.0.1:7481\"\n" + rest;
  };
  const std::string files =
      "[cluster.tls]\nauthority = \"a.pem\"\ncertificate = \"{node}.pem\"\nkey = \"{node}.key\"\n";
  CHECK(problems(two("127.0.0.1:7400", "127.0.0.2:7400", "")) == "");
  CHECK(problems(two("[::1]:7400", "localhost:7401", "")) == "");
  CHECK(problems(two("10.0.0.1:7400", "10.0.0.2:7400", files)) == "");
  CHECK(problems(two("127.0.0.1:7400", "10.0.0.2:7400", "")) ==
        R"(m.toml:9:8: nodes[1].mesh: links to 10.0.0.2:7400 would carry plain text over a network
    add a section [cluster.tls], for which `troupe certs` makes the files, or write a loopback address
)");
  CHECK(problems(two("127.0.0.1:7400", "127.0.0.1:7401", "[cluster.tls]\nkey = \"k\"\n")) ==
        R"(m.toml:11:1: cluster.tls: a file is missing
    name authority, certificate and key, as `troupe certs` makes them, or leave the section out
)");
  // One node alone has no links.
  CHECK(problems("[cluster]\nname = \"test\"\n[[nodes]]\nname = \"n1\"\nmesh = "
                 "\"10.0.0.1:7400\"\nadmin = \"127.0.0.1:7480\"\n") == "");
}

TEST_CASE("two nodes of one machine cannot share a data folder, however it is written") {
  CHECK(problems(R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
admin = "127.0.0.1:7480"
data = "data/n2/"
[[nodes]]
name = "n2"
mesh = "127.0.0.1:7401"
admin = "127.0.0.1:7481"
[[nodes]]
name = "n3"
mesh = "127.0.0.1:7402"
admin = "127.0.0.1:7482"
data = "./data/other/../n2"
)") == R"(m.toml:9:8: nodes[1].data: nodes[0].data (line 7) is the same folder on the same machine
    give every node a folder of its own
m.toml:16:8: nodes[2].data: nodes[0].data (line 7) is the same folder on the same machine
    give every node a folder of its own
)");
}

TEST_CASE("a cluster needs a node with the role control") {
  CHECK(problems(smallest + "roles = [\"worker\"]\n") ==
        R"(m.toml:7:9: nodes[0].roles: no node has the role "control"
    give it to one node, or to three or five for a cluster that survives failures
)");
  CHECK(problems(smallest + "roles = []\n") ==
        R"(m.toml:7:9: nodes[0].roles: there must be at least one
    write some of "control", "worker", or leave the key out for all
)");
}

TEST_CASE("a service cannot have more copies than nodes that host it") {
  const std::string two = R"([cluster]
name = "test"
[[nodes]]
name = "n1"
mesh = "127.0.0.1:7400"
admin = "10.0.0.1:7480"
[[nodes]]
name = "n2"
mesh = "127.0.0.2:7400"
admin = "10.0.0.2:7480"
services = ["a.B"]
)";
  CHECK(
      problems(two + R"([services."a.B"]
replication_factor = 3
[services."a.C"]
replication_factor = 5
[services."a.D"]
replication_factor = 1
)") ==
      R"(m.toml:13:22: services."a.B".replication_factor: 3 copies need as many nodes, but the service is hosted by only 2 nodes
    add nodes, or write 1
m.toml:15:22: services."a.C".replication_factor: 5 copies need as many nodes, but the service is hosted by only 1 node
    add nodes, or write 1
)");
  CHECK(
      problems(two + "[service_defaults]\nreplication_factor = 3\n[services.\"a.C\"]\n") ==
      R"(m.toml:13:22: service_defaults.replication_factor: 3 copies need as many nodes, but the manifest has only 2 nodes
    add nodes, or write 1
)");
  const std::string three =
      two + "[[nodes]]\nname = \"n3\"\nmesh = \"127.0.0.3:7400\"\nadmin = \"10.0.0.3:7480\"\n";
  CHECK(
      problems(three + "[service_defaults]\nreplication_factor = 3\n[services.\"a.C\"]\n") ==
      R"(m.toml:17:22: service_defaults.replication_factor: 3 copies need as many nodes, but a.C is hosted by only 2 nodes
    add nodes, or write 1
)");
}

TEST_CASE("an even number of copies is refused where it is written") {
  std::string nodes = "[cluster]\nname = \"test\"\n";
  for (const std::string n : {"1", "2", "3", "4"})
    nodes += "[[nodes]]\nname = \"n" + n + "\"\nmesh = \"127.0.0." + n +
             ":7400\"\nadmin = \"10.0.0." + n + ":7480\"\n";
  CHECK(
      problems(nodes + R"([service_defaults]
replication_factor = 2
[services."a.B"]
[services."a.C"]
replication_factor = 4
)") ==
      R"(m.toml:20:22: service_defaults.replication_factor: 2 copies survive no more failures than 1 does
    write 1, 3 or 5
m.toml:23:22: services."a.C".replication_factor: 4 copies survive no more failures than 3 do
    write 1, 3 or 5
)");
}

TEST_CASE("settings of a service that no node hosts are reported") {
  CHECK(problems(smallest + R"(services = []
[services."a.B"]
shards = 1
)") == R"(m.toml:8:11: services."a.B": no node hosts this service
    add it to the services of a node with the role "worker", or leave the section out
)");
}

TEST_CASE("services that the binary does not have are reported where they are named") {
  const LoadOptions options{.known_services = {{"banking.v1.Accounts", "billing.v1.Invoices"}}};
  CHECK(problems(smallest + R"(services = ["banking.v1.Account", "shipping.v2.Parcels"]
[services."banking.v2.Accounts"]
[services."banking.v1.Accounts"]
)",
                 nothing_set, options) ==
        R"(m.toml:7:13: nodes[0].services[0]: this binary has no service "banking.v1.Account"
    did you mean "banking.v1.Accounts"?
m.toml:7:35: nodes[0].services[1]: this binary has no service "shipping.v2.Parcels"
    it has banking.v1.Accounts, billing.v1.Invoices
m.toml:8:11: services."banking.v2.Accounts": this binary has no service "banking.v2.Accounts"
    did you mean "banking.v1.Accounts"?
m.toml:8:11: services."banking.v2.Accounts": no node hosts this service
    add it to the services of a node with the role "worker", or leave the section out
m.toml:9:11: services."banking.v1.Accounts": no node hosts this service
    add it to the services of a node with the role "worker", or leave the section out
)");
  CHECK(problems(smallest + "services = [\"any.v1.Thing\"]\n") == "");
}

TEST_CASE("a first back-off longer than the longest is reported once, where it is written") {
  CHECK(
      problems(smallest + R"([service_defaults.restart]
backoff_first = "10s"
[services."a.B"]
[services."a.B".quarantine]
backoff_max = "10ms"
)") ==
      R"(m.toml:8:17: service_defaults.restart.backoff_first: backoff_first (10s) is longer than backoff_max (5s)
    write a backoff_first up to backoff_max
m.toml:11:15: services."a.B".quarantine.backoff_max: backoff_first (1s) is longer than backoff_max (10ms)
    write a backoff_first up to backoff_max
)");
}

TEST_CASE("a floor of calls in flight above its ceiling is reported") {
  CHECK(
      problems(smallest + R"([service_defaults.admission]
in_flight_min = 20
in_flight_max = 10
)") ==
      R"(m.toml:8:17: service_defaults.admission.in_flight_min: in_flight_min (20) is more than in_flight_max (10)
    write an in_flight_min up to in_flight_max
)");
}

}  // namespace troupe::config
