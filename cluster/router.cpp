#include "cluster/router.hpp"

#include <xxhash.h>

#include "actors/shard/shard_actor.hpp"

namespace troupe::cluster {
namespace {

std::uint64_t seed_of(std::string_view service) {
  return XXH3_64bits(service.data(), service.size());
}

runtime::Bucket bucket_with(std::uint64_t seed, std::string_view key) {
  return static_cast<runtime::Bucket>(XXH3_64bits_withSeed(key.data(), key.size(), seed) %
                                      runtime::bucket_count);
}

}  // namespace

runtime::Bucket bucket_of(std::string_view service, std::string_view key) {
  return bucket_with(seed_of(service), key);
}

std::uint32_t shard_of(runtime::Bucket bucket, std::uint32_t shards) {
  return static_cast<std::uint32_t>(std::uint64_t{bucket} * shards / runtime::bucket_count);
}

Router::Router(runtime::Platform& platform, RouterOptions options)
    : platform_(platform), options_(options) {}

void Router::add_service(const actors::ServiceType& service, std::uint32_t shards) {
  ServiceRoute& route = services_[&service];
  route.seed = seed_of(service.name);
  for (std::uint32_t shard = 0; shard < shards; ++shard)
    route.shards.push_back(std::make_unique<ShardRoute>());
}

const Router::ServiceRoute* Router::find(const actors::ServiceType* service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? nullptr : &found->second;
}

void Router::announce(const actors::ServiceType& service, std::uint32_t shard, caf::actor actor) {
  ShardRoute& route = *services_.at(&service).shards.at(shard);
  const std::lock_guard guard{route.mutex};
  route.actor = std::move(actor);
}

caf::actor Router::shard(const actors::ServiceType& service, std::uint32_t shard) const {
  const ServiceRoute* route = find(&service);
  if (!route || shard >= route->shards.size()) return nullptr;
  const std::lock_guard guard{route->shards[shard]->mutex};
  return route->shards[shard]->actor;
}

std::int64_t Router::in_flight() const {
  std::int64_t sum = 0;
  for (const auto& [type, service] : services_)
    for (const auto& shard : service.shards)
      sum += shard->in_flight.load(std::memory_order_relaxed);
  return sum;
}

void Router::send(actors::CallBase call, actors::CallOptions options, actors::ReplyTo reply_to) {
  const ServiceRoute* service = find(call.service);
  if (!service)
    return reply_to(
        unimplemented("SERVICE_NOT_HOSTED",
                      "service " + (call.service ? call.service->name : std::string{"?"}) +
                          " does not run here; enable it in the manifest's list of services"));
  if (call.key.empty() || call.key.size() > options_.key_bytes_max)
    return reply_to(invalid_argument(
        "KEY_INVALID", "the key of " + call.service->name + " must have 1 to " +
                           std::to_string(options_.key_bytes_max) + " bytes, this one has " +
                           std::to_string(call.key.size())));
  const runtime::Bucket bucket = bucket_with(service->seed, call.key);
  ShardRoute& route =
      *service->shards[shard_of(bucket, static_cast<std::uint32_t>(service->shards.size()))];
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
  if (route.in_flight.load(std::memory_order_relaxed) >= options_.in_flight_max) {
    Error why =
        resource_exhausted("SHARD_OVERLOADED",
                           "too many calls wait for the shard of this key; retry later under the "
                           "same message id");
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
  if (options.id)
    request->id = *options.id;
  else if (!call.service->methods[call.method].read_only)
    request->id = actors::MessageId::make(platform_.clock().wall(), platform_.random());
  request->deadline = options.timeout == Duration::max()
                          ? MonotonicTime::max()
                          : platform_.clock().now() + options.timeout;
  request->reply_to = std::move(reply_to);
  request->in_flight = &route.in_flight;
  route.in_flight.fetch_add(1, std::memory_order_relaxed);
  actors::send_request(shard, std::move(request));
}

}  // namespace troupe::cluster
