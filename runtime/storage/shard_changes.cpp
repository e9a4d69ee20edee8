#include "runtime/storage/shard_changes.hpp"

#include <algorithm>

#include "runtime/rehearsal/planted.hpp"

namespace troupe::runtime {
namespace {

bool deletes_entity(const wire::Row& row) {
  return row.change() == wire::Row::DELETE_ENTITY;
}

// Deleting an entity takes these with it.
bool ends_with_entity(const wire::Row& row) {
  return row.kind() == wire::Row::STATE || row.kind() == wire::Row::EVENT ||
         row.kind() == wire::Row::TIMER;
}

bool same_entity(const wire::Row& a, const wire::Row& b) {
  return a.bucket() == b.bucket() && a.entity() == b.entity();
}

// Rank of a change among its entity's: deletions of all of it come first.
int rank(const wire::Row& row) {
  return deletes_entity(row) ? -1 : static_cast<int>(row.kind());
}

std::string_view sub_of(const wire::Row& row) {
  return deletes_entity(row) ? std::string_view{} : std::string_view{row.sub()};
}

}  // namespace

Result<void> ShardChanges::add(std::string_view payload) {
  auto* batch = google::protobuf::Arena::CreateMessage<wire::Batch>(&arena_);
  if (!batch->ParseFromArray(payload.data(), static_cast<int>(payload.size())))
    return internal("BAD_BATCH", std::to_string(payload.size()) + " bytes are no batch");
  time_ms_ = batch->time_ms();
  // Planted: the rows of some batches do not reach the file.
  if (time_ms_ % 16 == 0 && TROUPE_PLANTED(apply_loses_a_batch)) return {};
  for (const wire::Row& row : batch->rows()) {
    if (row.bucket() >= bucket_count)
      return internal("BAD_BATCH", "a row of bucket " + std::to_string(row.bucket()));
    if (row.change() == wire::Row::DELETE_BUCKETS) {
      std::erase_if(changes_, [&](const Change& one) { return one.row->bucket() >= row.bucket(); });
      deleted_from_ = std::min(deleted_from_, row.bucket());
      continue;
    }
    if (row.kind() == wire::Row::RANGE) range_ = &row;
    changes_.push_back({&row, order_++});
  }
  return {};
}

void ShardChanges::sort() {
  std::sort(changes_.begin(), changes_.end(), [](const Change& left, const Change& right) {
    const wire::Row& a = *left.row;
    const wire::Row& b = *right.row;
    if (a.bucket() != b.bucket()) return a.bucket() < b.bucket();
    if (const int order = a.entity().compare(b.entity()); order != 0) return order < 0;
    if (rank(a) != rank(b)) return rank(a) < rank(b);
    if (const int order = sub_of(a).compare(sub_of(b)); order != 0) return order < 0;
    return left.order < right.order;
  });
}

std::size_t ShardChanges::gather(std::size_t begin, Entity& entity) const {
  const wire::Row& first = *changes_[begin].row;
  entity.bucket = static_cast<Bucket>(first.bucket());
  entity.key = first.entity();
  entity.delete_first = false;
  entity.changes.clear();
  std::uint32_t deleted_at = 0;
  std::size_t at = begin;
  for (; at < changes_.size() && same_entity(first, *changes_[at].row); ++at) {
    const auto& [row, order] = changes_[at];
    if (deletes_entity(*row)) {
      entity.delete_first = true;
      deleted_at = order;
      continue;
    }
    const bool last_of_its_row =
        at + 1 == changes_.size() || !same_entity(first, *changes_[at + 1].row) ||
        rank(*row) != rank(*changes_[at + 1].row) || row->sub() != changes_[at + 1].row->sub();
    const bool deleted = entity.delete_first && ends_with_entity(*row) && order < deleted_at;
    if (last_of_its_row && !deleted) entity.changes.push_back(row);
  }
  return at;
}

}  // namespace troupe::runtime
