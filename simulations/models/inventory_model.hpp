// What the stock of a SKU of commerce does, as simply as it can be said.
//
// Reservations end with time, which only replies tell (`as_of`). Commands see a time that never
// goes back; a read may see one that a restart takes back (docs/architecture.md), so that reads
// teach nothing. When a command ran whose reply nobody got is known within bounds only, and so is
// the end of the reservation that it made. Between those bounds whatever was seen is right.
#pragma once

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "commerce/v1/inventory.troupe.hpp"
#include "simulations/rehearsal/model.hpp"

namespace troupe::simulations {

namespace shop = ::commerce::v1;

class InventoryModel final : public EntityModel<InventoryModel> {
 public:
  static void methods(Methods& on) {
    on("Receive", &InventoryModel::receive);
    on("Reserve", &InventoryModel::reserve);
    on("Commit", &InventoryModel::commit);
    on("Release", &InventoryModel::release);
    on("Get", &InventoryModel::get);
  }

  std::string state() const override {
    auto text = std::to_string(on_hand_) + ' ' + std::to_string(time_);
    for (const auto& one : held_)
      text += ' ' + one.order + ' ' + std::to_string(one.quantity) + ' ' +
              std::to_string(one.earliest) + ' ' + std::to_string(one.latest);
    return text;
  }

 private:
  static constexpr std::int64_t never = std::numeric_limits<std::int64_t>::max();

  // Ends at some moment from `earliest` to `latest`, in milliseconds of shard time.
  struct Held {
    std::string order;
    std::int64_t quantity;
    std::int64_t earliest;
    std::int64_t latest;
    std::int64_t hold;  // its whole time, while `latest` is never
  };
  using All = std::vector<Held>;

  static std::int64_t ms(const google::protobuf::Timestamp& time) {
    return google::protobuf::util::TimeUtil::TimestampToMilliseconds(time);
  }
  static std::int64_t ms(const google::protobuf::Duration& time) {
    return time.seconds() * 1000 + time.nanos() / 1'000'000;
  }
  static All::iterator find(All& all, const std::string& order) {
    return std::ranges::find(all, order, &Held::order);
  }
  static std::int64_t sum(const All& all) {
    std::int64_t total = 0;
    for (const auto& one : all) total += one.quantity;
    return total;
  }
  bool told_to_refuse(const char* reason) const {
    return operation().outcome == Operation::Outcome::refused && operation().reason == reason;
  }

  shop::Stock view(const All& open, std::int64_t on_hand, std::int64_t now) const {
    shop::Stock stock;
    stock.set_sku(key());
    stock.set_on_hand(on_hand);
    stock.set_reserved(sum(open));
    stock.set_available(on_hand - stock.reserved());
    stock.set_reservations(static_cast<std::int32_t>(open.size()));
    *stock.mutable_as_of() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(now);
    return stock;
  }

  // What a command that was answered did at the time that its reply says. `run` changes what is
  // open and on hand, and makes the reply; it is tried with each choice of reservations that may
  // have ended by then, until it says what was seen.
  template <class Response, class Run>
  Result<Response> at(std::int64_t now, const Response& seen, bool learns, const Run& run) {
    if (now < time_) return refusal("time went back");
    All known = held_;
    for (auto& one : known) {
      // The command that made it ran before this one.
      if (learns && one.latest == never) one.latest = now + one.hold;
    }
    std::vector<std::size_t> doubtful;
    for (std::size_t i = 0; i < known.size(); ++i)
      if (known[i].earliest <= now && now < known[i].latest) doubtful.push_back(i);
    check(doubtful.size() < 16, "too many reservations of which nobody knows when they end");
    Result<Response> first = refusal("nothing fits");
    for (std::uint32_t ended = 0; ended < 1U << doubtful.size(); ++ended) {
      All open;
      for (std::size_t i = 0; i < known.size(); ++i) {
        const auto at = std::ranges::find(doubtful, i) - doubtful.begin();
        const bool is_doubtful = at < static_cast<std::ptrdiff_t>(doubtful.size());
        if (is_doubtful ? (ended >> at & 1U) != 0 : known[i].latest <= now) continue;
        open.push_back(known[i]);
        if (is_doubtful) open.back().earliest = now + 1;
      }
      auto on_hand = on_hand_;
      Result<Response> reply = run(open, on_hand);
      const bool fits = reply && reply->SerializeAsString() == seen.SerializeAsString();
      if (fits && learns) {
        held_ = std::move(open);
        on_hand_ = on_hand;
        time_ = now;
      }
      if (fits) return reply;
      if (ended == 0) first = std::move(reply);
    }
    return first;
  }

  Result<shop::Stock> receive(const shop::ReceiveRequest& request, const shop::Stock* seen) {
    if (request.quantity() <= 0) return refusal("QUANTITY_NOT_POSITIVE");
    if (seen == nullptr) {
      on_hand_ += request.quantity();
      return shop::Stock{};
    }
    const auto now = ms(seen->as_of());
    return at<shop::Stock>(now, *seen, true,
                           [&](All& open, std::int64_t& on_hand) -> Result<shop::Stock> {
                             on_hand += request.quantity();
                             return view(open, on_hand, now);
                           });
  }

  Result<shop::Reservation> reserve(const shop::ReserveRequest& request,
                                    const shop::Reservation* seen) {
    if (request.quantity() <= 0) return refusal("QUANTITY_NOT_POSITIVE");
    const auto hold = ms(request.hold_for());
    if (hold <= 0) return refusal("HOLD_INVALID");
    if (seen == nullptr) return reserve_unseen(request, hold);
    const auto now = ms(seen->stock().as_of());
    return at<shop::Reservation>(
        now, *seen, true, [&](All& open, std::int64_t& on_hand) -> Result<shop::Reservation> {
          auto held = find(open, request.order_id());
          if (held != open.end()) {
            if (held->quantity != request.quantity()) return refusal("RESERVATION_MISMATCH");
            const auto ends = ms(seen->expires_at());  // told at last
            if (ends < held->earliest || ends > held->latest) return refusal("ends differently");
            held->earliest = held->latest = ends;
          } else {
            if (request.quantity() > on_hand - sum(open)) return refusal("INSUFFICIENT_STOCK");
            open.push_back({request.order_id(), request.quantity(), now + hold, now + hold, hold});
            held = open.end() - 1;
          }
          shop::Reservation reply;
          reply.set_order_id(held->order);
          reply.set_quantity(held->quantity);
          *reply.mutable_expires_at() =
              google::protobuf::util::TimeUtil::MillisecondsToTimestamp(held->latest);
          *reply.mutable_stock() = view(open, on_hand, now);
          return reply;
        });
  }

  // Refused, or nobody knows. It ran as soon as it could, which allows for the most afterwards.
  Result<shop::Reservation> reserve_unseen(const shop::ReserveRequest& request, std::int64_t hold) {
    const auto held = find(held_, request.order_id());
    const bool was_held = held != held_.end();
    if (was_held && held->quantity != request.quantity() && told_to_refuse("RESERVATION_MISMATCH"))
      return refusal("RESERVATION_MISMATCH");
    const auto from = was_held ? std::max(time_, held->earliest) : time_;
    // Less and less is reserved as time goes by, so that the first moment says whether it could be
    // refused, and the last whether it could not.
    const auto open_at = [&](std::int64_t time) {
      All open;
      for (const auto& one : held_)
        if (one.order != request.order_id() && time < one.earliest) open.push_back(one);
      return open;
    };
    All most;
    for (const auto& one : held_)
      if (one.order != request.order_id() && from < one.latest) most.push_back(one);
    if (operation().outcome == Operation::Outcome::refused)
      return request.quantity() > on_hand_ - sum(most) ? refusal("INSUFFICIENT_STOCK")
                                                       : refusal("no reason to refuse");
    auto time = from;
    for (auto open = open_at(time); request.quantity() > on_hand_ - sum(open);
         open = open_at(time)) {
      if (open.empty()) return refusal("INSUFFICIENT_STOCK");
      time = std::ranges::min_element(open, {}, &Held::earliest)->earliest;
    }
    if (was_held) held_.erase(held);
    held_.push_back({request.order_id(), request.quantity(), time + hold, never, hold});
    time_ = time;
    return shop::Reservation{};
  }

  Result<shop::Stock> commit(const shop::CommitRequest& request, const shop::Stock* seen) {
    return leave(request.order_id(), seen, true);
  }
  Result<shop::Stock> release(const shop::ReleaseRequest& request, const shop::Stock* seen) {
    return leave(request.order_id(), seen, false);
  }

  Result<shop::Stock> leave(const std::string& order, const shop::Stock* seen, bool goods_too) {
    if (seen == nullptr) {
      const auto held = find(held_, order);
      // One that is held may have ended by then.
      if (goods_too && (held == held_.end() || told_to_refuse("RESERVATION_NOT_FOUND")))
        return refusal("RESERVATION_NOT_FOUND");
      if (held == held_.end()) return shop::Stock{};
      if (goods_too) on_hand_ -= held->quantity;
      held_.erase(held);
      return shop::Stock{};
    }
    const auto now = ms(seen->as_of());
    return at<shop::Stock>(now, *seen, true,
                           [&](All& open, std::int64_t& on_hand) -> Result<shop::Stock> {
                             const auto held = find(open, order);
                             if (held == open.end() && goods_too)
                               return refusal("RESERVATION_NOT_FOUND");
                             if (held != open.end()) {
                               if (goods_too) on_hand -= held->quantity;
                               open.erase(held);
                             }
                             return view(open, on_hand, now);
                           });
  }

  Result<shop::Stock> get(const shop::GetRequest&, const shop::Stock* seen) {
    if (seen == nullptr) return view(held_, on_hand_, time_);
    const auto now = ms(seen->as_of());
    return at<shop::Stock>(now, *seen, false, [&](All& open, std::int64_t& on_hand) {
      return Result<shop::Stock>{view(open, on_hand, now)};
    });
  }

  std::int64_t on_hand_ = 0;
  std::int64_t time_ = 0;  // of the newest command that is known
  All held_;               // the oldest first
};

}  // namespace troupe::simulations
