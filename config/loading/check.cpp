#include "config/loading/check.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>

#include "config/loading/suggest.hpp"

namespace troupe::config {
namespace {

std::string node_path(std::size_t index) {
  return "nodes[" + std::to_string(index) + "]";
}

// --- addresses ----------------------------------------------------------------------------------

struct Endpoint {
  std::string path;
  const Address* address = nullptr;
  Place place;
  std::string machine;
};

std::string canonical(const std::string& host) {
  return host == "localhost" ? "127.0.0.1" : host;
}

bool clash(const Endpoint& a, const Endpoint& b) {
  if (a.machine != b.machine || a.address->port != b.address->port) return false;
  return a.address->wildcard() || b.address->wildcard() ||
         canonical(a.address->host) == canonical(b.address->host);
}

// --- the checks ---------------------------------------------------------------------------------

class Checker {
 public:
  Checker(const CheckInput& input, std::vector<Problem>& problems)
      : input_(input), manifest_(*input.manifest), problems_(problems) {}

  void run() {
    node_names();
    addresses();
    secured_links();
    gateway_files();
    credentials_for_any();
    data_folders();
    if (input_.complete) control_nodes();
    pairs("service_defaults", manifest_.service_defaults);
    for (const auto& [name, service] : manifest_.services)
      pairs("services." + in_quotes(name), service);
    known_services();
    if (input_.complete) replication();
  }

 private:
  // Null: the value was not given, or has a problem of its own.
  const Place* find(const std::string& path) const {
    const auto found = input_.places->find(path);
    return found == input_.places->end() ? nullptr : &found->second;
  }

  void problem(const Place& place, std::string path, std::string message, std::string hint) {
    problems_.push_back({input_.file, place.line, place.column, std::move(path), std::move(message),
                         std::move(hint)});
  }

  void node_names() {
    std::map<std::string, Place> seen;
    for (std::size_t i = 0; i < manifest_.nodes.size(); ++i) {
      const std::string path = node_path(i) + ".name";
      const Place* place = find(path);
      if (!place) continue;
      const auto [first, added] = seen.try_emplace(manifest_.nodes[i].name, *place);
      if (!added)
        problem(*place, path,
                "the node of line " + std::to_string(first->second.line) + " has the name " +
                    in_quotes(first->first) + ", too",
                "give every node a name of its own");
    }
  }

  void addresses() {
    std::vector<Endpoint> seen;
    for (std::size_t i = 0; i < manifest_.nodes.size(); ++i) {
      const Node& node = manifest_.nodes[i];
      const std::pair<std::string, const Address*> all[] = {
          {".mesh", &node.mesh},
          {".gateway", node.gateway ? &*node.gateway : nullptr},
          {".grpc", node.grpc ? &*node.grpc : nullptr},
          {".admin", &node.admin}};
      for (const auto& [name, address] : all) {
        const Place* place = find(node_path(i) + name);
        if (!place || !address) continue;
        Endpoint endpoint{node_path(i) + name, address, *place, node.machine()};
        if (address->port != 0) port_clash(endpoint, seen);
        seen.push_back(std::move(endpoint));
      }
      const Place* mesh = find(node_path(i) + ".mesh");
      if (mesh && manifest_.nodes.size() > 1 && (node.mesh.wildcard() || node.mesh.port == 0))
        problem(*mesh, node_path(i) + ".mesh",
                "other nodes cannot connect to " + node.mesh.to_string(),
                "write the address and the port under which they reach this node");
    }
  }

  // Plain text stays on one machine.
  void secured_links() {
    const Tls& tls = manifest_.cluster.tls;
    const std::string path = "cluster.tls";
    if (!(tls == Tls{})) {
      const bool whole = tls.on() && !tls.certificate.empty() && !tls.key.empty();
      const Place* place = find(path);
      if (whole || !place || !input_.complete) return;
      problem(*place, path, "a file is missing",
              "name authority, certificate and key, as `troupe certs` makes them, or leave the "
              "section out");
      return;
    }
    if (!input_.complete || manifest_.nodes.size() < 2) return;
    for (std::size_t i = 0; i < manifest_.nodes.size(); ++i) {
      const Address& mesh = manifest_.nodes[i].mesh;
      const Place* place = find(node_path(i) + ".mesh");
      if (!place || mesh.loopback() || mesh.wildcard()) continue;
      problem(*place, node_path(i) + ".mesh",
              "links to " + mesh.to_string() + " would carry plain text over a network",
              "add a section [cluster.tls], for which `troupe certs` makes the files, or write a "
              "loopback address");
      return;  // once is enough: the section is one for all
    }
  }

  void gateway_files() {
    const GatewayTls& tls = manifest_.gateway.tls;
    const Place* place = find("gateway.tls");
    if (place && input_.complete && tls.certificate.empty() != tls.key.empty())
      problem(*place, "gateway.tls", "a file is missing",
              "name certificate and key, or leave the section out");
  }

  // Browsers refuse it, too (the Fetch standard, section 3.2.5).
  void credentials_for_any() {
    const Cors& cors = manifest_.gateway.cors;
    const Place* place = find("gateway.cors.credentials");
    if (place && cors.credentials && cors.origins == std::vector<std::string>{"*"})
      problem(*place, "gateway.cors.credentials", "pages of any origin would act as their visitor",
              "name the origins that may, or leave credentials out");
  }

  void port_clash(const Endpoint& endpoint, const std::vector<Endpoint>& seen) {
    for (const auto& other : seen) {
      if (!clash(endpoint, other)) continue;
      problem(endpoint.place, endpoint.path,
              "port " + std::to_string(endpoint.address->port) + " is taken on this machine by " +
                  other.path + " (line " + std::to_string(other.place.line) + ")",
              "give every address on a machine a port of its own");
      return;
    }
  }

  void data_folders() {
    // (machine, folder) to path and line
    std::map<std::pair<std::string, std::string>, std::pair<std::string, std::uint32_t>> seen;
    for (std::size_t i = 0; i < manifest_.nodes.size(); ++i) {
      const Node& node = manifest_.nodes[i];
      const std::string path = node_path(i) + ".data";
      const Place* place = find(path) ? find(path) : find(node_path(i) + ".name");
      if (!place) continue;  // not even the default is known
      // A last '/' makes no other folder.
      const auto folder = (std::filesystem::path{node.data} / "").lexically_normal().string();
      const auto [first, added] =
          seen.try_emplace({node.machine(), folder}, std::pair{path, place->line});
      if (!added)
        problem(*place, path,
                first->second.first + " (line " + std::to_string(first->second.second) +
                    ") is the same folder on the same machine",
                "give every node a folder of its own");
    }
  }

  void control_nodes() {
    if (manifest_.nodes.empty()) return;
    for (const auto& node : manifest_.nodes)
      if (node.has(Role::control)) return;
    const std::string path = node_path(0) + ".roles";
    if (const Place* place = find(path))
      problem(*place, path, "no node has the role \"control\"",
              "give it to one node, or to three or five for a cluster that survives failures");
  }

  // Reported where one of the two is written; an inherited pair was reported at its source.
  void pairs(const std::string& path, const Service& service) {
    for (const WrongPair& pair : wrong_pairs(service)) {
      for (const std::string& name : {pair.first, pair.max}) {
        const std::string key = path + '.' + pair.section + '.' + name;
        const Place* place = find(key);
        if (!place) continue;
        problem(*place, key, pair.complaint.message, pair.complaint.hint);
        break;
      }
    }
  }

  void unknown_service(const Place& place, std::string path, const std::string& name) {
    const auto& known = *input_.options->known_services;
    if (std::find(known.begin(), known.end(), name) != known.end()) return;
    std::string hint;
    if (const auto meant = suggest(name, known)) {
      hint = "did you mean " + in_quotes(*meant) + "?";
    } else {
      for (const auto& service : known) hint += (hint.empty() ? "" : ", ") + service;
      hint = hint.empty() ? "it has none" : "it has " + hint;
    }
    problem(place, std::move(path), "this binary has no service " + in_quotes(name),
            std::move(hint));
  }

  void known_services() {
    if (!input_.options->known_services) return;
    for (const auto& [name, service] : manifest_.services)
      if (const Place* place = find("services." + in_quotes(name)))
        unknown_service(*place, "services." + in_quotes(name), name);
    for (std::size_t i = 0; i < manifest_.nodes.size(); ++i) {
      if (!manifest_.nodes[i].services) continue;
      const auto& names = *manifest_.nodes[i].services;
      for (std::size_t j = 0; j < names.size(); ++j) {
        const std::string path = node_path(i) + ".services[" + std::to_string(j) + "]";
        if (const Place* place = find(path)) unknown_service(*place, path, names[j]);
      }
    }
  }

  void replication() {
    std::set<std::string> names;
    for (const auto& [name, service] : manifest_.services) names.insert(name);
    for (const auto& node : manifest_.nodes)
      if (node.services) names.insert(node.services->begin(), node.services->end());
    if (input_.options->known_services)
      names.insert(input_.options->known_services->begin(), input_.options->known_services->end());

    // Once for the defaults, then for each service that says it for itself.
    const std::string defaults = "service_defaults.replication_factor";
    even(defaults, manifest_.service_defaults.replication_factor);
    for (const auto& [name, service] : manifest_.services)
      even("services." + in_quotes(name) + ".replication_factor", service.replication_factor);
    std::size_t workers = 0;
    for (const auto& node : manifest_.nodes) workers += node.has(Role::worker);
    const bool defaults_wrong = manifest_.service_defaults.replication_factor > workers;
    if (const Place* place = find(defaults); place && defaults_wrong)
      too_few(*place, defaults, manifest_.service_defaults.replication_factor, "the manifest has",
              workers);
    for (const auto& name : names) {
      const std::size_t hosts = manifest_.hosts(name);
      const Place* section = find("services." + in_quotes(name));
      if (hosts == 0) {
        if (section)
          problem(*section, "services." + in_quotes(name), "no node hosts this service",
                  "add it to the services of a node with the role \"worker\", or leave the section "
                  "out");
        continue;
      }
      const std::uint32_t factor = manifest_.service(name).replication_factor;
      if (factor <= hosts) continue;
      const std::string own = "services." + in_quotes(name) + ".replication_factor";
      if (const Place* place = find(own))
        too_few(*place, own, factor, "the service is hosted by", hosts);
      else if (const Place* inherited = find(defaults); inherited && !defaults_wrong)
        too_few(*inherited, defaults, factor, name + " is hosted by", hosts);
    }
  }

  void even(const std::string& path, std::uint32_t factor) {
    const Place* place = find(path);
    if (!place || factor == 0 || factor % 2 != 0) return;
    problem(*place, path,
            std::to_string(factor) + " copies survive no more failures than " +
                std::to_string(factor - 1) + (factor == 2 ? " does" : " do"),
            "write 1, 3 or 5");
  }

  void too_few(const Place& place, const std::string& path, std::uint32_t factor,
               const std::string& who, std::size_t nodes) {
    problem(place, path,
            std::to_string(factor) + " copies need as many nodes, but " + who + " " +
                (nodes == 0 ? "none"
                            : "only " + std::to_string(nodes) + (nodes == 1 ? " node" : " nodes")),
            "add nodes, or write " + std::string{nodes < 3 ? "1" : "a smaller odd number"});
  }

  const CheckInput& input_;
  const Manifest& manifest_;
  std::vector<Problem>& problems_;
};

}  // namespace

std::vector<WrongPair> wrong_pairs(const Service& service) {
  std::vector<WrongPair> wrong;
  const auto backoff = [&](const char* section, Duration first, Duration max) {
    if (first <= max) return;
    wrong.push_back({section,
                     "backoff_first",
                     "backoff_max",
                     {"backoff_first (" + format_duration(first) +
                          ") is longer than backoff_max (" + format_duration(max) + ")",
                      "write a backoff_first up to backoff_max"}});
  };
  backoff("restart", service.restart.backoff_first, service.restart.backoff_max);
  backoff("quarantine", service.quarantine.backoff_first, service.quarantine.backoff_max);
  const Admission& admission = service.admission;
  if (admission.in_flight_min > admission.in_flight_max)
    wrong.push_back(
        {"admission",
         "in_flight_min",
         "in_flight_max",
         {"in_flight_min (" + std::to_string(admission.in_flight_min) +
              ") is more than in_flight_max (" + std::to_string(admission.in_flight_max) + ")",
          "write an in_flight_min up to in_flight_max"}});
  return wrong;
}

void check(const CheckInput& input, std::vector<Problem>& problems) {
  Checker{input, problems}.run();
}

}  // namespace troupe::config
