// What a cluster is made of, as an operator declares it: plain values, already checked.
//
// load.hpp makes a Manifest of a TOML file. The initial values below are the defaults of the
// manifest's keys, in this one place: the loader starts from them and docs/manifest.md is tested
// against them. Names here and in the file are the same. loading/schema.cpp holds ranges and
// meanings.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/address.hpp"
#include "config/units.hpp"

namespace troupe::config {

inline constexpr std::uint64_t kibibyte = 1ull << 10;
inline constexpr std::uint64_t mebibyte = 1ull << 20;
inline constexpr std::uint64_t gibibyte = 1ull << 30;

// Files of the links between nodes (PEM). All empty: links are plain text. In a path "{node}"
// stands for the name of the node that opens the file.
struct Tls {
  std::string authority;    // certificates of the cluster's own authority
  std::string certificate;  // the node's own
  std::string key;
  std::string revoked;  // the authority's list of revoked certificates; empty: none is kept

  bool on() const { return !authority.empty(); }
  friend bool operator==(const Tls&, const Tls&) = default;
};

struct Cluster {
  std::string name;
  Tls tls;
  friend bool operator==(const Cluster&, const Cluster&) = default;
};

enum class Role : std::uint8_t {
  control,  // votes in the cluster's directory
  worker,   // hosts shards
};

struct Node {
  std::string name;
  Address mesh;                    // for other nodes
  std::optional<Address> gateway;  // for clients, HTTP; nullopt: this node serves none
  std::optional<Address> grpc;     // for clients, gRPC; nullopt: this node serves none
  Address admin;                   // for operators: health, metrics, status
  std::string data;                // folder; relative to the working directory of the process
  std::vector<Role> roles{Role::control, Role::worker};
  std::map<std::string, std::string> labels;         // "region" and "zone" guide placement
  std::optional<std::vector<std::string>> services;  // full names; nullopt: all of the binary

  bool has(Role role) const;
  // Whether the manifest wants the service here (roles and the list of services both say so).
  bool hosts(std::string_view service) const;
  // Which machine the node runs on, as far as a manifest tells: the host of the first of its
  // addresses that means one machine. Empty: it only has loopback and wildcard addresses; such
  // nodes count as being on the same one.
  std::string machine() const;
  friend bool operator==(const Node&, const Node&) = default;
};

// Bounds of one service, each counted per shard.
struct ServiceLimits {
  std::uint64_t batch_bytes = 256 * kibibyte;
  std::uint32_t batch_commands = 1024;
  std::uint32_t batches_in_flight = 4;
  std::uint32_t waiting_commands = 10'000;
  std::uint64_t resident_bytes = 64 * mebibyte;
  Duration passivate_after = std::chrono::minutes{10};
  std::uint32_t history_page_events = 1000;
  friend bool operator==(const ServiceLimits&, const ServiceLimits&) = default;
};

// How often a failing actor is restarted before its supervisor gives up, and how fast.
struct RestartPolicy {
  std::uint32_t intensity = 3;
  Duration period = std::chrono::seconds{5};
  Duration backoff_first = std::chrono::milliseconds{10};
  Duration backoff_max = std::chrono::seconds{5};
  double jitter = 0.2;
  friend bool operator==(const RestartPolicy&, const RestartPolicy&) = default;
};

// When a key whose handlers keep throwing is set aside, and for how long.
struct QuarantinePolicy {
  std::uint32_t failures = 5;
  Duration period = std::chrono::minutes{1};
  Duration backoff_first = std::chrono::seconds{1};
  Duration backoff_max = std::chrono::minutes{5};
  friend bool operator==(const QuarantinePolicy&, const QuarantinePolicy&) = default;
};

// How many calls of one service a node that clients call has in flight at once: so many that they
// are answered in time. Commands and reads have a limit each.
struct Admission {
  bool enabled = true;
  Duration latency = std::chrono::milliseconds{50};
  std::uint32_t in_flight_min = 32;
  std::uint32_t in_flight_max = 10'000;
  friend bool operator==(const Admission&, const Admission&) = default;
};

struct Service {
  std::uint32_t shards = 4;
  std::uint32_t replication_factor = 0;  // 0: not given; Manifest::service() chooses
  Duration reply_window = std::chrono::minutes{10};
  Duration idempotency_window = std::chrono::hours{24};
  Duration stale_age_max = std::chrono::hours{1};
  ServiceLimits limits;
  Admission admission;
  RestartPolicy restart;
  QuarantinePolicy quarantine;
  friend bool operator==(const Service&, const Service&) = default;
};

// Paths of what the gateway shows its clients, PEM; both or neither. `{node}` is the node's name.
struct GatewayTls {
  std::string certificate;  // and after it those between it and an authority that clients believe
  std::string key;
  bool on() const { return !certificate.empty(); }
  friend bool operator==(const GatewayTls&, const GatewayTls&) = default;
};

// Pages of other origins that browsers let call the gateway (the Fetch standard, section 3.2).
struct Cors {
  std::vector<std::string> origins;  // "*": of any; empty: of none
  bool credentials = false;          // cookies and the like; not with "*"
  Duration max_age = std::chrono::minutes{10};
  friend bool operator==(const Cors&, const Cors&) = default;
};

struct Gateway {
  std::uint64_t header_bytes = 16 * kibibyte;
  std::uint64_t body_bytes = 1 * mebibyte;
  std::uint32_t connections = 10'000;
  Duration header_timeout = std::chrono::seconds{10};
  Duration body_timeout = std::chrono::seconds{30};
  Duration request_timeout = std::chrono::seconds{10};
  Duration write_timeout = std::chrono::seconds{30};
  Duration idle_timeout = std::chrono::seconds{60};
  Duration drain_timeout = std::chrono::seconds{10};
  GatewayTls tls = {};
  Cors cors = {};
  friend bool operator==(const Gateway&, const Gateway&) = default;
};

// What the cluster does by itself about nodes and replicas; as the node has it that keeps the
// directory.
struct Balancer {
  bool enabled = true;
  Duration down_after = std::chrono::seconds{5};
  Duration repair_after = std::chrono::minutes{5};
  Duration advice_hold = std::chrono::minutes{30};
  friend bool operator==(const Balancer&, const Balancer&) = default;
};

// Disk and the memory that stands before it, for one node.
struct Storage {
  std::uint64_t segment_bytes = 64 * mebibyte;
  std::uint64_t reserve_bytes = 16 * mebibyte;
  std::uint32_t commit_entries = 4096;
  std::uint64_t commit_bytes = 8 * mebibyte;
  std::uint64_t page_cache_bytes = 64 * mebibyte;
  std::uint32_t apply_rows = 20'000;
  Duration apply_after = std::chrono::milliseconds{500};
  std::uint64_t checkpoint_wal_bytes = 64 * mebibyte;
  std::uint32_t checkpoint_entries = 50'000;
  std::uint32_t log_segments = 8;
  friend bool operator==(const Storage&, const Storage&) = default;
};

enum class SchedulerPolicy : std::uint8_t {
  sharing,   // quiet when idle, faster with many actors
  stealing,  // faster between few actors, polls when idle
};

struct Scheduler {
  SchedulerPolicy policy = SchedulerPolicy::sharing;
  std::uint32_t threads = 0;  // 0: one fewer than the machine has cores, at least 1
  friend bool operator==(const Scheduler&, const Scheduler&) = default;
};

enum class LogLevel : std::uint8_t { debug, info, warn, error };
enum class LogFormat : std::uint8_t {
  automatic,  // text on a terminal, JSON otherwise
  text,
  json,
};

struct Log {
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::automatic;
  friend bool operator==(const Log&, const Log&) = default;
};

struct Metrics {
  bool enabled = true;
  friend bool operator==(const Metrics&, const Metrics&) = default;
};

struct Manifest {
  Cluster cluster;
  std::vector<Node> nodes;                  // in the order of the file
  Service service_defaults;                 // of services that have no section of their own
  std::map<std::string, Service> services;  // by full name, "banking.v1.Accounts"
  Gateway gateway;
  Balancer balancer;
  Storage storage;
  Scheduler scheduler;
  Log log;
  Metrics metrics;

  const Node* find_node(std::string_view name) const;  // null: none of that name

  // The settings of a service, whether it has a section or not. A replication factor that was not
  // given becomes 3, or 1 where fewer than three nodes host the service.
  Service service(const std::string& name) const;

  // Whether all nodes are on the same machine, see Node::machine().
  bool on_one_machine() const;

  // The files of one node: `cluster.tls` with the node's name put in.
  Tls tls_of(const Node& node) const;
  GatewayTls gateway_tls_of(const Node& node) const;

  // Nodes that host the service.
  std::size_t hosts(std::string_view service) const;

  friend bool operator==(const Manifest&, const Manifest&) = default;
};

}  // namespace troupe::config
