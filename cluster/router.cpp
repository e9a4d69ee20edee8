#include "cluster/router.hpp"

#include <xxhash.h>

#include <algorithm>

#include "actors/shard/shard_actor.hpp"
#include "cluster/command_codec.hpp"
#include "cluster/routed_call.hpp"
#include "cluster/stale_call.hpp"

namespace troupe::cluster {
namespace {

std::uint64_t seed_of(std::string_view service) {
  return XXH3_64bits(service.data(), service.size());
}

runtime::Bucket bucket_with(std::uint64_t seed, std::string_view key) {
  return static_cast<runtime::Bucket>(XXH3_64bits_withSeed(key.data(), key.size(), seed) %
                                      runtime::bucket_count);
}

// Behind the shard's last bucket.
std::uint32_t end_of(const std::vector<std::uint32_t>& first_buckets, std::uint32_t shard) {
  std::uint32_t end = runtime::bucket_count;
  for (const std::uint32_t other : first_buckets)
    if (other > first_buckets[shard]) end = std::min(end, other);
  return end;
}

}  // namespace

runtime::Bucket bucket_of(std::string_view service, std::string_view key) {
  return bucket_with(seed_of(service), key);
}

std::uint32_t shard_of(runtime::Bucket bucket, std::uint32_t shards) {
  return static_cast<std::uint32_t>(std::uint64_t{bucket} * shards / runtime::bucket_count);
}

std::uint32_t first_bucket_of(std::uint32_t shard, std::uint32_t shards) {
  std::uint32_t bucket = 0;
  while (bucket < runtime::bucket_count &&
         shard_of(static_cast<runtime::Bucket>(bucket), shards) < shard)
    ++bucket;
  return bucket;
}

Router::Router(runtime::Platform& platform, RouterOptions options)
    : platform_(platform), options_(std::move(options)) {}

void Router::add_service(const actors::ServiceType& service,
                         std::vector<std::vector<std::string>> replicas,
                         const std::vector<std::uint32_t>& first_buckets) {
  ServiceRoute& route = services_[&service];
  names_[service.name] = &service;
  route.seed = seed_of(service.name);
  route.name = service.name;
  route.late = &platform_.metrics().counter("troupe_calls_late_total",
                                            "Calls that were refused because their time was over.",
                                            {{"service", service.name}, {"where", "router"}});
  const auto shards = static_cast<std::uint32_t>(replicas.size());
  for (std::uint32_t shard = 0; shard < shards; ++shard)
    route_for(route, shard,
              std::make_shared<const std::vector<std::string>>(std::move(replicas[shard])));
  for (std::uint32_t bucket = 0; bucket < runtime::bucket_count; ++bucket)
    route.owners[bucket] =
        route.shards[shard_of(static_cast<runtime::Bucket>(bucket), shards)].get();
  for (std::uint32_t shard = 0; shard < first_buckets.size() && shard < shards; ++shard)
    for (std::uint32_t bucket = first_buckets[shard]; bucket < end_of(first_buckets, shard);
         ++bucket)
      route.owners[bucket] = route.shards[shard].get();
}

Router::ShardRoute* Router::ServiceRoute::shard(std::uint32_t number) const {
  const std::lock_guard guard{mutex};
  return number < shards.size() ? shards[number].get() : nullptr;
}

Router::ShardRoute& Router::route_for(ServiceRoute& service, std::uint32_t shard,
                                      const Nodes& nodes) {
  std::unique_lock guard{service.mutex};
  while (service.shards.size() <= shard) {
    auto route = std::make_unique<ShardRoute>();
    route->shard = static_cast<std::uint32_t>(service.shards.size());
    route->late = service.late;
    route->leaderless_since = MonotonicTime::max();
    service.shards.push_back(std::move(route));
  }
  ShardRoute& route = *service.shards[shard];
  guard.unlock();
  const std::lock_guard inner{route.mutex};
  if (!route.nodes) route.nodes = nodes;
  return route;
}

// A bucket's later owners have higher numbers than its earlier ones.
void Router::own(ServiceRoute& service, ShardRoute& route, std::uint32_t first, std::uint32_t end) {
  const std::lock_guard guard{service.mutex};
  for (std::uint32_t bucket = first; bucket < std::min<std::uint32_t>(end, runtime::bucket_count);
       ++bucket)
    if (service.owners[bucket].load(std::memory_order_relaxed)->shard < route.shard)
      service.owners[bucket].store(&route, std::memory_order_release);
}

void Router::range(const std::string& service, const std::vector<std::uint32_t>& first_buckets) {
  const auto known = names_.find(service);
  if (known == names_.end()) return;
  ServiceRoute& route = services_.at(known->second);
  for (std::uint32_t shard = 0; shard < first_buckets.size(); ++shard) {
    ShardRoute* const one = route.shard(shard);
    if (one != nullptr && nodes_of(*one))
      own(route, *one, first_buckets[shard], end_of(first_buckets, shard));
  }
}

void Router::split(const std::string& service, std::uint32_t shard, std::uint32_t first,
                   std::uint32_t end, std::vector<std::string> nodes) {
  const auto known = names_.find(service);
  if (known == names_.end() || nodes.empty()) return;
  ServiceRoute& route = services_.at(known->second);
  const auto there = std::make_shared<const std::vector<std::string>>(std::move(nodes));
  own(route, route_for(route, shard, there), first, end);
}

void Router::place(const std::string& service, std::uint32_t shard,
                   std::vector<std::string> nodes) {
  const auto known = names_.find(service);
  if (known == names_.end() || nodes.empty()) return;
  auto placed = std::make_shared<const std::vector<std::string>>(std::move(nodes));
  ShardRoute& route = route_for(services_.at(known->second), shard, placed);
  const std::lock_guard guard{route.mutex};
  route.nodes = std::move(placed);
}

void Router::use(std::shared_ptr<actors::Executor> executor) {
  const std::lock_guard guard{mutex_};
  executor_ = std::move(executor);
}

const Router::ServiceRoute* Router::find(const actors::ServiceType* service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : &found->second;
}

void Router::announce(const actors::ServiceType& service, std::uint32_t shard, caf::actor actor,
                      std::function<std::string()> leader) {
  ShardRoute* const route = services_.at(&service).shard(shard);
  if (route == nullptr) return;
  const std::lock_guard guard{route->mutex};
  route->actor = std::move(actor);
  route->leader_as_told = std::move(leader);
}

std::string Router::told_leader(const ShardRoute& route) {
  std::function<std::string()> leader;
  {
    const std::lock_guard guard{route.mutex};
    leader = route.leader_as_told;
  }
  return leader ? leader() : std::string{};
}

Router::Nodes Router::nodes_of(const ShardRoute& route) {
  const std::lock_guard guard{route.mutex};
  return route.nodes;
}

caf::actor Router::shard(const actors::ServiceType& service, std::uint32_t shard) const {
  const ServiceRoute* route = find(&service);
  const ShardRoute* const one = route ? route->shard(shard) : nullptr;
  if (one == nullptr) return nullptr;
  const std::lock_guard guard{one->mutex};
  return one->actor;
}

std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> Router::buckets(
    const actors::ServiceType& service) const {
  std::map<std::uint32_t, std::pair<std::uint32_t, std::uint32_t>> all;
  const ServiceRoute* route = find(&service);
  for (std::uint32_t bucket = 0; route && bucket < runtime::bucket_count; ++bucket) {
    const auto shard = route->owner(static_cast<runtime::Bucket>(bucket)).shard;
    all.try_emplace(shard, bucket, bucket).first->second.second = bucket + 1;
  }
  return all;
}

std::int64_t Router::in_flight() const {
  std::int64_t sum = 0;
  for (const auto& [type, service] : services_) {
    const std::lock_guard guard{service.mutex};
    for (const auto& shard : service.shards)
      sum += shard->in_flight.load(std::memory_order_relaxed);
  }
  return sum;
}

void Router::send(actors::CallBase call, actors::CallOptions options, actors::ReplyTo reply_to) {
  const ServiceRoute* service = find(call.service);
  if (!service)
    return reply_to(unimplemented(
        "SERVICE_NOT_HOSTED", "service " + (call.service ? call.service->name : std::string{"?"}) +
                                  " runs on no node; enable it in a node's list of services in "
                                  "the manifest"));
  if (call.key.empty() || call.key.size() > options_.key_bytes_max)
    return reply_to(invalid_argument(
        "KEY_INVALID", "the key of " + call.service->name + " must have 1 to " +
                           std::to_string(options_.key_bytes_max) + " bytes, this one has " +
                           std::to_string(call.key.size())));
  const runtime::Bucket bucket = bucket_with(service->seed, call.key);
  ShardRoute& route = service->owner(bucket);
  if (auto why = overloaded(route)) return reply_to(*std::move(why));
  if (!options.id && !call.service->methods[call.method].read_only)
    options.id = actors::MessageId::make(platform_.clock().wall(), platform_.random());
  const MonotonicTime deadline = options.timeout == Duration::max()
                                     ? MonotonicTime::max()
                                     : platform_.clock().now() + options.timeout;
  const bool stale = call.service->methods[call.method].stale_ok && !options.fresh;
  if (stale)
    return std::make_shared<StaleCall>(*this, *service, bucket, std::move(call), std::move(options),
                                       deadline, std::move(reply_to))
        ->attempt();
  std::make_shared<RoutedCall>(*this, *service, bucket, std::move(call), std::move(options),
                               deadline, std::move(reply_to))
      ->attempt();
}

void Router::together(const std::function<void()>& sends) {
  const actors::RequestBatch batch;
  sends();
}

void Router::send_here(actors::CallBase call, actors::CallOptions options,
                       actors::ReplyTo reply_to) {
  const ServiceRoute& service = services_.at(call.service);
  const runtime::Bucket bucket = bucket_with(service.seed, call.key);
  ShardRoute& route = service.owner(bucket);
  if (!options.id && !call.service->methods[call.method].read_only)
    options.id = actors::MessageId::make(platform_.clock().wall(), platform_.random());
  const MonotonicTime deadline = platform_.clock().now() + options.timeout;
  deliver(route, std::move(call), std::move(options), bucket, deadline, {.counted = true},
          std::move(reply_to));
}

std::optional<Error> Router::overloaded(const ShardRoute& route) const {
  if (route.in_flight.load(std::memory_order_relaxed) < options_.in_flight_max) return {};
  Error why = resource_exhausted("SHARD_OVERLOADED",
                                 "too many calls wait for the shard of this key; retry later "
                                 "under the same message id");
  why.retry_after = std::chrono::seconds{1};
  return why;
}

Error Router::late(ShardRoute& route) {
  route.late->add();
  return deadline_exceeded("DEADLINE_EXCEEDED", "the time of the call is over");
}

void Router::deliver(ShardRoute& route, actors::CallBase call, actors::CallOptions options,
                     runtime::Bucket bucket, MonotonicTime deadline, Delivery delivery,
                     actors::ReplyTo reply_to) {
  caf::actor shard;
  {
    const std::lock_guard guard{route.mutex};
    shard = route.actor;
  }
  if (!shard) {
    Error why =
        unavailable("SHARD_UNAVAILABLE", "the shard of this key is not running at the moment");
    why.retry_after = std::chrono::seconds{1};
    return reply_to(std::move(why));
  }
  auto request = std::make_shared<actors::Request>();
  request->service = call.service;
  request->method = call.method;
  request->key = std::move(call.key);
  request->bucket = bucket;
  request->payload = std::move(call.payload);
  request->caller = std::move(options.caller);
  request->trace = std::move(options.trace);
  request->on_behalf_of = std::move(options.on_behalf_of);
  if (options.id) request->id = *options.id;
  request->deadline = deadline;
  request->if_version = options.if_version;
  request->stale = delivery.stale;
  request->reply_to = std::move(reply_to);
  if (delivery.counted) {
    request->in_flight = &route.in_flight;
    route.in_flight.fetch_add(1, std::memory_order_relaxed);
  }
  actors::send_request(shard, std::move(request));
}

// If there is no replica on this node, nor to be one: the node to ask.
std::string Router::not_here(const ShardRoute& route) const {
  const std::lock_guard guard{route.mutex};
  const bool here =
      route.actor || std::ranges::find(*route.nodes, options_.node) != route.nodes->end();
  return here ? std::string{} : route.nodes->front();
}

void Router::serve(std::string_view bytes, MonotonicTime deadline,
                   std::function<void(std::string)> answer) {
  const auto refuse = [&answer](Error why) { answer(encode_reply({std::move(why), {}})); };
  auto command = decode_command(bytes);
  if (!command) return refuse(std::move(command).error());
  const auto known = names_.find(command->service());
  if (known == names_.end())
    return refuse(unavailable("SHARD_NOT_HERE",
                              options_.node + " does not know the service " + command->service()));
  actors::CallBase call;
  call.service = known->second;
  const bool conditional = command->method().empty();
  const std::string& name = conditional ? command->method_if_version() : command->method();
  const std::size_t method = call.service->find(name);
  if (method == call.service->methods.size())
    return refuse(unimplemented("METHOD_UNKNOWN", options_.node + " has a version of " +
                                                      command->service() + " without " + name));
  call.method = static_cast<std::uint32_t>(method);
  call.key = std::move(*command->mutable_key());
  call.payload = std::move(*command->mutable_payload());
  if (call.key.empty() || call.key.size() > options_.key_bytes_max)
    return refuse(invalid_argument("KEY_INVALID", "a command from another node has a key of " +
                                                      std::to_string(call.key.size()) + " bytes"));
  const ServiceRoute& service = services_.at(call.service);
  const runtime::Bucket bucket = bucket_with(service.seed, call.key);
  ShardRoute& route = service.owner(bucket);
  if (const std::string elsewhere = not_here(route); !elsewhere.empty())
    return answer(encode_reply(
        {unavailable("SHARD_NOT_HERE", options_.node + " has no replica of the shard of this "
                                                       "key"),
         elsewhere}));
  if (auto why = overloaded(route)) return refuse(*std::move(why));
  actors::CallOptions options;
  if (!call.service->methods[method].read_only) options.id = id_of(*command);
  options.caller = std::move(*command->mutable_caller());
  options.trace = std::move(*command->mutable_trace());
  if (conditional) options.if_version = command->version();
  options.on_behalf_of = {std::move(*command->mutable_principal()),
                          std::move(*command->mutable_tenant()),
                          std::move(*command->mutable_data_subject())};
  const bool stale = command->stale() && call.service->methods[method].stale_ok;
  deliver(route, std::move(call), std::move(options), bucket, deadline,
          {.counted = true, .stale = stale},
          [&route, answer = std::move(answer)](Result<actors::Reply> reply) {
            std::string leader = reply ? std::string{} : told_leader(route);
            answer(encode_reply({std::move(reply), std::move(leader)}));
          });
}

}  // namespace troupe::cluster
