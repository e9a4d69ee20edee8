#include "cluster/mesh/outbox.hpp"

#include <chrono>
#include <utility>

#include "runtime/wire/mesh.pb.h"

namespace troupe::cluster {
namespace {

std::string request_head(const Outbox::Item& item, MonotonicTime now) {
  wire::MeshRequest head;
  head.set_id(item.call);
  head.set_kind(static_cast<std::uint32_t>(item.kind));
  if (item.deadline != MonotonicTime::max()) {
    const auto left = std::chrono::duration_cast<std::chrono::microseconds>(item.deadline - now);
    head.set_remaining_us(static_cast<std::uint64_t>(std::max<std::int64_t>(left.count(), 1)));
  }
  return with_head(head.SerializeAsString());
}

}  // namespace

void Outbox::Queue::push(Item item) {
  bytes += item.cost();
  items.push_back(std::move(item));
}

Outbox::Item Outbox::Queue::pop() {
  auto item = std::move(items.front());
  items.pop_front();
  bytes -= item.cost();
  return item;
}

void Outbox::open(std::int64_t call_credit, std::int64_t bulk_credit) {
  call_credit_ = call_window_ = call_credit;
  bulk_credit_ = bulk_window_ = bulk_credit;
}

std::vector<Outbox::Item> Outbox::close() {
  std::vector<Item> waited;
  for (auto* queue : {&control_, &consensus_, &replies_, &calls_, &bulk_}) {
    for (auto& item : queue->items) waited.push_back(std::move(item));
    *queue = {};
  }
  return waited;
}

void Outbox::push_control(FrameKind kind, std::string payload) {
  control_.push(Item{kind, std::move(payload)});
}

void Outbox::push_reply(Item reply) {
  replies_.push(std::move(reply));
}

bool Outbox::fits_reply(const Item& reply) const {
  return replies_.items.empty() || replies_.bytes + reply.cost() <= options_.reply_bytes_max;
}

bool Outbox::push(Lane lane, Item item) {
  auto& queue = lane == Lane::consensus ? consensus_ : lane == Lane::call ? calls_ : bulk_;
  const auto most = lane == Lane::consensus ? options_.consensus_bytes_max
                    : lane == Lane::call    ? options_.call_bytes_max
                                            : options_.bulk_bytes_max;
  // One fits in any case, however large.
  if (queue.bytes + item.cost() > most && !queue.items.empty()) return false;
  queue.push(std::move(item));
  return true;
}

bool Outbox::grant(std::uint64_t call_bytes, std::uint64_t bulk_bytes) {
  if (call_bytes > static_cast<std::uint64_t>(call_window_ - call_credit_) ||
      bulk_bytes > static_cast<std::uint64_t>(bulk_window_ - bulk_credit_))
    return false;
  call_credit_ += static_cast<std::int64_t>(call_bytes);
  bulk_credit_ += static_cast<std::int64_t>(bulk_bytes);
  return true;
}

Outbox::Queue* Outbox::next(Lane& lane) {
  lane = Lane::control;
  if (!control_.items.empty()) return &control_;
  lane = Lane::consensus;
  if (!consensus_.items.empty()) return &consensus_;
  lane = Lane::call;
  if (!replies_.items.empty()) return &replies_;
  if (!calls_.items.empty() && call_credit_ > 0) return &calls_;
  lane = Lane::bulk;
  if (!bulk_.items.empty() && bulk_credit_ > 0) return &bulk_;
  return nullptr;
}

void Outbox::take(Queue& queue, Lane lane, MonotonicTime now, CallTable& calls, Batch& batch) {
  auto item = queue.pop();
  const auto before = batch.bytes.size();
  if (item.call != 0) {
    if (item.deadline <= now) return;  // the table answers it
    if (!calls.mark_sent(item.call)) return;
    append_frame(batch.bytes, FrameKind::request, lane, request_head(item, now), item.payload);
  } else {
    append_frame(batch.bytes, item.kind, lane, item.payload);
  }
  const auto size = batch.bytes.size() - before;
  if (&queue == &calls_) call_credit_ -= static_cast<std::int64_t>(size);
  if (&queue == &bulk_) bulk_credit_ -= static_cast<std::int64_t>(size);
  batch.credit += item.credit;
  if (item.sent) batch.sent.push_back(std::move(item.sent));
  ++batch.frames[static_cast<std::size_t>(lane)];
  batch.sizes[static_cast<std::size_t>(lane)] += size;
}

Outbox::Batch Outbox::gather(std::size_t bytes_max, MonotonicTime now, CallTable& calls) {
  Batch batch;
  Lane lane{};
  while (auto* queue = next(lane)) {
    if (!batch.bytes.empty() && batch.bytes.size() + queue->items.front().cost() > bytes_max) break;
    take(*queue, lane, now, calls, batch);
  }
  return batch;
}

std::size_t Outbox::queued() const {
  return control_.bytes + consensus_.bytes + replies_.bytes + calls_.bytes + bulk_.bytes;
}

std::size_t Outbox::queued(Lane lane) const {
  switch (lane) {
    case Lane::control:
      return control_.bytes;
    case Lane::consensus:
      return consensus_.bytes;
    case Lane::call:
      return replies_.bytes + calls_.bytes;
    case Lane::bulk:
      return bulk_.bytes;
  }
  return 0;
}

}  // namespace troupe::cluster
