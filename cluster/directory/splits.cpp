#include "cluster/directory/splits.hpp"

#include <string>
#include <utility>

#include "cluster/directory/buckets.hpp"
#include "cluster/directory/formats.hpp"

namespace troupe::cluster {
namespace {

namespace v1 = directory::v1;

Result<void> all_know_splits(const DirectoryTable& table) {
  const DirectoryNode* unable = who_cannot_read(table, split_format);
  return unable ? not_readable(*unable, split_format) : Result<void>{};
}

Error at_no_bucket(const std::string& name, std::uint32_t first, std::uint32_t end) {
  const auto range = [](std::uint32_t from, std::uint32_t to) {
    return std::to_string(from) + " to " + std::to_string(to);
  };
  return invalid_argument(
      "SPLIT_UNSUITABLE",
      name + " has the buckets " + range(first, end - 1) + "; it can be split at " +
          (end - first < 2 ? std::string{"none of them"} : range(first + 1, end - 1)));
}

}  // namespace

Result<std::optional<DirectoryShard>> with_split(const DirectoryTable& table,
                                                 const v1::SplitRequest& request) {
  const DirectoryShard* known = find_shard(table, request.service(), request.shard());
  const DirectoryService* service = find_service(table, request.service());
  const std::string name = request.service() + "/" + std::to_string(request.shard());
  if (!known || !service) return not_found("SHARD_UNKNOWN", "the cluster has no shard " + name);
  for (const DirectoryShard& other : table.shards()) {
    if (other.service() != request.service() || !other.has_split()) continue;
    if (other.shard() == request.shard() &&
        (request.at_bucket() == 0 || request.at_bucket() == other.split().at_bucket()))
      return std::optional<DirectoryShard>{};
    return failed_precondition("SPLIT_UNDER_WAY", "shard " + std::to_string(other.shard()) +
                                                      " of " + request.service() +
                                                      " is being split; a service has one split "
                                                      "at a time");
  }
  const auto [first, end] = buckets_of(*service, request.shard());
  const std::uint32_t at =
      request.at_bucket() == 0 ? first + (end - first + 1) / 2 : request.at_bucket();
  if (at <= first || at >= end) return at_no_bucket(name, first, end);
  TROUPE_CHECK(all_know_splits(table));
  DirectoryShard shard = *known;
  DirectorySplit& split = *shard.mutable_split();
  split.set_shard(static_cast<std::uint32_t>(service->first_bucket_size()));
  split.set_first_bucket(first);
  split.set_at_bucket(at);
  split.set_end_bucket(end);
  return std::optional{std::move(shard)};
}

Result<std::optional<v1::SplitEnded>> split_ended(const DirectoryTable& table,
                                                  const v1::EndSplitRequest& request) {
  if (find_shard(table, request.service(), request.new_shard()))
    return std::optional<v1::SplitEnded>{};
  const DirectoryShard* known = find_shard(table, request.service(), request.shard());
  const DirectoryService* service = find_service(table, request.service());
  // One that was not ordered is told by a shard that knows better than a directory that has lost
  // changes.
  const auto [first, end] =
      service ? buckets_of(*service, request.shard()) : std::pair<std::uint32_t, std::uint32_t>{};
  if (!known || request.at_bucket() <= first || request.at_bucket() >= end ||
      request.nodes().empty() ||
      request.new_shard() != static_cast<std::uint32_t>(service->first_bucket_size()))
    return failed_precondition(
        "SPLIT_UNKNOWN", request.service() + "/" + std::to_string(request.shard()) +
                             " cannot have been split at bucket " +
                             std::to_string(request.at_bucket()) + " to make shard " +
                             std::to_string(request.new_shard()) + ", by what the directory knows");
  v1::SplitEnded event;
  *event.mutable_service() = *service;
  event.mutable_service()->add_first_bucket(request.at_bucket());
  *event.add_shards() = *known;
  event.mutable_shards(0)->clear_split();
  DirectoryShard& fresh = *event.add_shards();
  fresh.set_service(request.service());
  fresh.set_shard(request.new_shard());
  *fresh.mutable_nodes() = request.nodes();
  // Another that was ordered under this number, when it was not known to be taken, has to be
  // ordered again.
  for (const DirectoryShard& other : table.shards()) {
    if (other.service() != request.service() || other.shard() == request.shard() ||
        !other.has_split() || other.split().shard() != request.new_shard())
      continue;
    *event.add_shards() = other;
    event.mutable_shards()->rbegin()->clear_split();
  }
  return std::optional{std::move(event)};
}

SplitReport split_report(const DirectoryTable& table, const std::string& service,
                         std::uint32_t shard) {
  SplitReport report;
  const DirectoryShard* parent = find_shard(table, service, shard);
  const DirectoryService* all = find_service(table, service);
  if (!parent || !all) return report;
  report.set_under_way(parent->has_split());
  if (parent->has_split()) return report;
  const std::uint32_t end = buckets_of(*all, shard).second;
  for (std::uint32_t one = 0; one < static_cast<std::uint32_t>(all->first_bucket_size()); ++one) {
    const auto buckets = buckets_of(*all, one);
    if (buckets.first != end) continue;
    if (const DirectoryShard* fresh = find_shard(table, service, one))
      *report.mutable_fresh() = *fresh;
    report.set_first_bucket(buckets.first);
    report.set_end_bucket(buckets.second);
  }
  return report;
}

}  // namespace troupe::cluster
