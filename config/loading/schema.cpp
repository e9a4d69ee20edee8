#include "config/loading/schema.hpp"

#include <algorithm>
#include <charconv>

namespace troupe::config {
namespace {

using namespace std::chrono_literals;
using Counts = Range<std::uint32_t>;
using Sizes = Range<std::uint64_t>;
using Durations = Range<Duration>;

constexpr Duration day = 24h;

template <class Enum>
void choice(SchemaVisitor& v, const Key& key, Enum& value,
            std::span<const std::string_view> names) {
  auto position = static_cast<std::size_t>(value);
  v.choice(key, position, names);
  value = static_cast<Enum>(position);
}

void required_address(SchemaVisitor& v, Key key, Address& value) {
  key.required = true;
  std::optional<Address> given;
  v.address(key, given);
  if (given) value = *given;
}

void describe_roles(SchemaVisitor& v, Node& node) {
  std::vector<std::size_t> positions;
  for (const Role role : node.roles) positions.push_back(static_cast<std::size_t>(role));
  v.choices({"roles",
             "What the node does: `control` nodes keep the cluster's directory, `worker` nodes "
             "host shards."},
            positions, role_names);
  node.roles.clear();
  for (const std::size_t position : positions) node.roles.push_back(static_cast<Role>(position));
}

void describe(SchemaVisitor& v, Tls& tls) {
  v.text({"authority", "Certificates of the cluster's own authority, which signs those of nodes.",
          false, "none"},
         tls.authority, TextRule::folder);
  v.text({"certificate", "The node's certificate.", false, "none"}, tls.certificate,
         TextRule::folder);
  v.text({"key", "The node's private key.", false, "none"}, tls.key, TextRule::folder);
  v.text({"revoked", "The authority's list of revoked certificates.", false, "none"}, tls.revoked,
         TextRule::folder);
}

void describe(SchemaVisitor& v, Node& node) {
  v.text({"name", "Names the node in logs, metrics and commands. Unique.", true}, node.name,
         TextRule::name);
  required_address(v, {"mesh", "Where other nodes reach this one."}, node.mesh);
  v.address(
      {"gateway", "Where clients reach the services over HTTP. Left out: nowhere on this node.",
       false, "none"},
      node.gateway);
  v.address(
      {"grpc", "The same over gRPC, with the limits and files of `[gateway]`.", false, "none"},
      node.grpc);
  required_address(
      v, {"admin", "Health, metrics and status, for operators. Not for the open network."},
      node.admin);
  v.text({"data",
          "Folder of everything that the node stores. A relative path starts at the working "
          "directory of the process.",
          false, "./data/NAME"},
         node.data, TextRule::folder);
  describe_roles(v, node);
  v.labels({"labels", "Free text pairs. `region` and `zone` say what fails together."},
           node.labels);
  v.service_names({"services", "Full names of the services that the node hosts.", false, "all"},
                  node.services);
}

void describe(SchemaVisitor& v, ServiceLimits& limits) {
  v.size({"batch_bytes", "A batch, one entry of the shard's log, is closed at this size."},
         limits.batch_bytes, Sizes{4 * kibibyte, 2 * mebibyte});
  v.integer({"batch_commands", "Most commands in one batch."}, limits.batch_commands,
            Counts{1, 65'536});
  v.integer({"batches_in_flight", "Most batches of a shard that wait for their commit."},
            limits.batches_in_flight, Counts{1, 1024});
  v.integer({"waiting_commands",
             "Most commands that wait for a shard; further ones are refused with "
             "`RESOURCE_EXHAUSTED`."},
            limits.waiting_commands, Counts{1, 10'000'000});
  v.size(
      {"resident_bytes",
       "Memory for a shard's resident entities; beyond it the longest idle ones are passivated."},
      limits.resident_bytes, Sizes{1 * mebibyte, 1024 * gibibyte});
  v.duration({"passivate_after", "An entity that had no command for this long leaves memory."},
             limits.passivate_after, Durations{1s, 365 * day});
  v.integer({"history_page_events", "Most events in one page of an entity's history."},
            limits.history_page_events, Counts{1, 10'000});
}

void describe(SchemaVisitor& v, Admission& admission) {
  v.boolean({"enabled",
             "The number of calls in flight follows how fast they are answered; otherwise it is "
             "`in_flight_max`."},
            admission.enabled);
  v.duration({"latency",
              "When most calls take longer than this, and than twice what they take when few are "
              "in flight, fewer are let in."},
             admission.latency, Durations{1ms, 1min});
  v.integer({"in_flight_min", "So many calls are let in however long they take."},
            admission.in_flight_min, Counts{1, 1'000'000});
  v.integer({"in_flight_max",
             "Most calls in flight; further ones are refused with `RESOURCE_EXHAUSTED`."},
            admission.in_flight_max, Counts{1, 1'000'000});
}

void describe(SchemaVisitor& v, RestartPolicy& restart) {
  v.integer(
      {"intensity",
       "Restarts of a shard within `period` before its supervisor gives up and fails itself."},
      restart.intensity, Counts{0, 1000});
  v.duration({"period", "Window in which restarts are counted."}, restart.period,
             Durations{100ms, day});
  v.duration({"backoff_first", "Wait before the first restart; it doubles with each further one."},
             restart.backoff_first, Durations{1ms, 1h});
  v.duration({"backoff_max", "Longest wait before a restart."}, restart.backoff_max,
             Durations{1ms, 1h});
  v.number({"jitter", "Share of the wait that is taken off at random, so that restarts spread."},
           restart.jitter, Range<double>{0, 1});
}

void describe(SchemaVisitor& v, QuarantinePolicy& quarantine) {
  v.integer(
      {"failures",
       "Exceptions of one key's handlers within `period` that set the key aside: its commands "
       "are refused with `UNAVAILABLE`, other keys go on."},
      quarantine.failures, Counts{1, 1000});
  v.duration({"period", "Window in which exceptions are counted."}, quarantine.period,
             Durations{100ms, day});
  v.duration({"backoff_first", "First time in quarantine; it doubles with each further one."},
             quarantine.backoff_first, Durations{1ms, day});
  v.duration({"backoff_max", "Longest time in quarantine."}, quarantine.backoff_max,
             Durations{1ms, 7 * day});
}

constexpr std::string_view window_is_fixed =
    "replies that are stored already were stored for the window of their time, so that a command "
    "could run twice; write it in the manifest before the cluster is made";

void describe_service(SchemaVisitor& v, Service& service) {
  v.integer({"shards", "Parts of the key space, each with its own log and file.", false, "", false,
             "'troupe split' makes two of one"},
            service.shards, Counts{1, 4096});
  v.integer(
      {"replication_factor",
       "Copies of every shard, on nodes that host the service: 1, 3 or 5. Service goes on while "
       "more than half of them do.",
       false, "3, or 1 with fewer than three nodes that host it", false,
       "'troupe replicate' changes it"},
      service.replication_factor, Counts{1, 5});
  v.duration(
      {"reply_window",
       "How long the reply to a command from inside the cluster is kept for a retry; an older "
       "message id is refused.",
       false, "", false, window_is_fixed},
      service.reply_window, Durations{1s, 30 * day});
  v.duration({"idempotency_window",
              "The same for clients' `Idempotency-Key`: a repeated key gets the stored reply.",
              false, "", false, window_is_fixed},
             service.idempotency_window, Durations{1s, 365 * day});
  v.duration({"stale_age_max",
              "Reads of `stale_ok` methods are refused by a replica that was not up to date with a "
              "leader for longer."},
             service.stale_age_max, Durations{1s, 365 * day});
  v.section({"limits", "Bounds, each counted per shard."},
            [&](SchemaVisitor& inner) { describe(inner, service.limits); });
  v.section({"admission",
             "Calls from clients that a node has in flight, commands and reads each for "
             "themselves ([overload](operations.md#overload))."},
            [&](SchemaVisitor& inner) { describe(inner, service.admission); });
  v.section({"restart", "Restarts of failing shards."},
            [&](SchemaVisitor& inner) { describe(inner, service.restart); });
  v.section({"quarantine", "Keys whose handlers keep throwing."},
            [&](SchemaVisitor& inner) { describe(inner, service.quarantine); });
}

void describe(SchemaVisitor& v, GatewayTls& tls) {
  v.text({"certificate",
          "What clients are shown, and after it the certificates between it and an authority that "
          "they believe.",
          false, "none"},
         tls.certificate, TextRule::folder);
  v.text({"key", "The certificate's private key.", false, "none"}, tls.key, TextRule::folder);
}

void describe(SchemaVisitor& v, Cors& cors) {
  v.origins({"origins", "Origins of the pages, such as `\"https://shop.example\"`; `[\"*\"]`: any.",
             false, "none"},
            cors.origins);
  v.boolean({"credentials", "Browsers may send cookies and other credentials."}, cors.credentials);
  v.duration({"max_age", "How long a browser may remember what it may do."}, cors.max_age,
             Durations{0s, 1h});
}

void describe(SchemaVisitor& v, Gateway& gateway) {
  v.size({"header_bytes", "Longest request line and headers together; more is answered with 431."},
         gateway.header_bytes, Sizes{1 * kibibyte, 1 * mebibyte});
  v.size({"body_bytes", "Longest request body; more is answered with 413."}, gateway.body_bytes,
         Sizes{1 * kibibyte, 64 * mebibyte});
  v.integer({"connections", "Most connections at once; further ones are closed."},
            gateway.connections, Counts{1, 1'000'000});
  v.duration({"header_timeout", "For a request's headers to arrive, from their first byte on."},
             gateway.header_timeout, Durations{10ms, 1h});
  v.duration({"body_timeout", "For a request's body to arrive."}, gateway.body_timeout,
             Durations{10ms, 1h});
  v.duration(
      {"request_timeout",
       "For a call to have its turn; one that comes too late is not run. One that runs goes on; "
       "a second later its client gets 504, too."},
      gateway.request_timeout, Durations{10ms, 1h});
  v.duration({"write_timeout", "For a client to take a response."}, gateway.write_timeout,
             Durations{10ms, 1h});
  v.duration({"idle_timeout", "A connection without a request for this long is closed."},
             gateway.idle_timeout, Durations{10ms, 1h});
  v.duration({"drain_timeout", "For running requests to end when the node is asked to stop."},
             gateway.drain_timeout, Durations{0s, 1h});
  v.section({"tls",
             "HTTPS with these files, which are read again when they change. `{node}` in a path "
             "stands for the node's name. Left out: plain HTTP."},
            [&](SchemaVisitor& inner) { describe(inner, gateway.tls); });
  v.section({"cors", "Pages of other origins that browsers let call the services."},
            [&](SchemaVisitor& inner) { describe(inner, gateway.cors); });
}

void describe_balancer(SchemaVisitor& v, Balancer& balancer) {
  v.boolean({"enabled",
             "Replicas and leaders are spread evenly and lost replicas replaced. Otherwise only "
             "what operators order moves anything."},
            balancer.enabled);
  v.duration({"down_after", "A node that has not been heard of for so long is down."},
             balancer.down_after, Durations{2s, 1h});
  v.duration({"repair_after", "Replicas on a node that is down for so long are replaced."},
             balancer.repair_after, Durations{1s, 30 * day});
  v.duration({"advice_hold", "`troupe advise` says less once less has been enough for so long."},
             balancer.advice_hold, Durations{15s, 30 * day});
}

void describe(SchemaVisitor& v, Storage& storage) {
  v.size({"segment_bytes", "The node log begins a new file past this size."}, storage.segment_bytes,
         Sizes{1 * mebibyte, 4 * gibibyte});
  v.size({"reserve_bytes",
          "Disk space taken at the start and given back when the disk is full, so that the log can "
          "be cut."},
         storage.reserve_bytes, Sizes{1 * mebibyte, 4 * gibibyte});
  v.integer({"commit_entries", "Most log entries that share one fsync."}, storage.commit_entries,
            Counts{1, 1'000'000});
  v.size({"commit_bytes", "Most bytes of log entries that share one fsync."}, storage.commit_bytes,
         Sizes{64 * kibibyte, 256 * mebibyte});
  v.size({"page_cache_bytes", "Memory for pages of shard files, shared by all shards of the node."},
         storage.page_cache_bytes, Sizes{1 * mebibyte, 1024 * gibibyte});
  v.integer(
      {"apply_rows", "Committed rows are written to the shard file once there are this many."},
      storage.apply_rows, Counts{1, 1'000'000});
  v.duration(
      {"apply_after", "They are written, too, once the oldest of them has waited this long."},
      storage.apply_after, Durations{1ms, 1min});
  v.size({"checkpoint_wal_bytes", "A shard file is checkpointed when its WAL reaches this size."},
         storage.checkpoint_wal_bytes, Sizes{256 * kibibyte, 16 * gibibyte});
  v.integer({"checkpoint_entries",
             "It is checkpointed, too, after this many log entries, which bounds what a restart "
             "replays."},
            storage.checkpoint_entries, Counts{100, 100'000'000});
  v.integer({"log_segments",
             "With more files of the node log than this, the shards that hold the oldest are "
             "checkpointed."},
            storage.log_segments, Counts{2, 10'000});
}

}  // namespace

void describe(SchemaVisitor& v, Service& service) {
  describe_service(v, service);
}

void describe(SchemaVisitor& v, Balancer& balancer) {
  describe_balancer(v, balancer);
}

void describe(SchemaVisitor& v, Manifest& manifest) {
  v.section({"cluster", "The cluster as a whole."}, [&](SchemaVisitor& inner) {
    inner.text({"name", "Names the cluster; nodes of another one are refused.", true},
               manifest.cluster.name, TextRule::name);
    inner.section({"tls",
                   "Links between nodes are secured with these files, which `troupe certs` makes. "
                   "`{node}` in a path stands for the node's name. Left out: links are plain text, "
                   "which is allowed between loopback addresses only."},
                  [&](SchemaVisitor& files) { describe(files, manifest.cluster.tls); });
  });
  v.sections({"nodes", "One section per node, at least one.", true},
             [&](SchemaVisitor& inner) { describe(inner, manifest.nodes.emplace_back()); });
  v.section({"service_defaults", "What holds for every service that does not say otherwise.", false,
             "", true},
            [&](SchemaVisitor& inner) { describe(inner, manifest.service_defaults); });
  v.services({"services",
              "One section per service that differs, by full name in quotes. Takes every key of "
              "`service_defaults`."},
             [&](SchemaVisitor& inner, const std::string& name) {
               const auto [entry, added] =
                   manifest.services.try_emplace(name, manifest.service_defaults);
               describe(inner, entry->second);
             });
  v.section({"gateway", "HTTP, on every node that has a gateway address, and gRPC."},
            [&](SchemaVisitor& inner) { describe(inner, manifest.gateway); });
  v.section({"balancer",
             "What the cluster does by itself about nodes and replicas. The node that keeps the "
             "directory goes by its own manifest.",
             false, "", true},
            [&](SchemaVisitor& inner) { describe(inner, manifest.balancer); });
  v.section({"storage", "Disk and the memory before it, on every node."},
            [&](SchemaVisitor& inner) { describe(inner, manifest.storage); });
  v.section({"scheduler", "The threads that run actors."}, [&](SchemaVisitor& inner) {
    choice(inner,
           {"policy",
            "`sharing`: quiet when idle, faster with many actors. `stealing`: faster between few, "
            "polls when idle."},
           manifest.scheduler.policy, scheduler_policy_names);
    inner.integer({"threads", "Threads that run actors.", false,
                   "one fewer than the machine has cores, at least 1"},
                  manifest.scheduler.threads, Counts{1, 256});
  });
  v.section({"log", "Logs go to standard error."}, [&](SchemaVisitor& inner) {
    choice(inner, {"level", "The least urgent level that is written."}, manifest.log.level,
           log_level_names);
    choice(inner, {"format", "`auto`: text on a terminal, one JSON object per line otherwise."},
           manifest.log.format, log_format_names);
  });
  v.section({"metrics", "Prometheus metrics at `/metrics` of the admin address."},
            [&](SchemaVisitor& inner) {
              inner.boolean({"enabled", "Whether they are served."}, manifest.metrics.enabled);
            });
}

std::string plain(double value) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, value);
  return error == std::errc{} ? std::string{text, end} : "?";
}

}  // namespace troupe::config
