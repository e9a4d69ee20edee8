// What the stock of a SKU does. Each command first gives back what has expired, so that all below
// it sees open reservations only.
#include <limits>

#include "commerce/v1/inventory.troupe.hpp"
#include "domains/commerce/order_check.hpp"
#include "domains/commerce/refusals.hpp"
#include "domains/commerce/shard_time.hpp"
#include "domains/commerce/stock.hpp"

namespace commerce {
namespace {

constexpr std::int64_t on_hand_max = std::numeric_limits<std::int64_t>::max();
constexpr int reservations_max = 256;  // they are all in the state, which each command stores

class Sku final : public v1::InventoryEntity {
  Result<v1::Stock> Receive(const v1::ReceiveRequest& request, Effects& effects) const override {
    expire(effects);
    if (request.quantity() <= 0) return refusals::quantity_not_positive(request.quantity());
    if (request.quantity() > on_hand_max - state().on_hand())
      return refusals::stock_overflow(key(), state().on_hand(), request.quantity());
    v1::Received event;
    event.set_quantity(request.quantity());
    effects.emit(event);
    return view();
  }

  Result<v1::Reservation> Reserve(const v1::ReserveRequest& request,
                                  Effects& effects) const override {
    expire(effects);
    TROUPE_CHECK(check_order_id(request.order_id()));
    if (request.quantity() <= 0) return refusals::quantity_not_positive(request.quantity());
    TROUPE_TRY(expires_ms, end_of_hold(request, effects.now()));
    if (const auto* held = find(state(), request.order_id())) {
      if (held->quantity() == request.quantity()) return reply(*held);
      return refusals::reservation_mismatch(key(), held->quantity(), request.quantity());
    }
    if (const auto left = available(state(), effects.now()); request.quantity() > left)
      return refusals::insufficient_stock(key(), left, request.quantity());
    if (state().reservations_size() >= reservations_max)
      return refusals::reservations_full(key(), reservations_max);
    v1::Reserved event;
    event.set_order_id(request.order_id());
    event.set_quantity(request.quantity());
    event.set_expires_ms(expires_ms);
    effects.emit(event);
    return reply(event);
  }

  Result<v1::Stock> Commit(const v1::CommitRequest& request, Effects& effects) const override {
    expire(effects);
    const auto* held = find(state(), request.order_id());
    if (!held) return refusals::reservation_not_found(key());
    v1::Committed event;
    event.set_order_id(held->order_id());
    event.set_quantity(held->quantity());
    effects.emit(event);
    return view();
  }

  Result<v1::Stock> Release(const v1::ReleaseRequest& request, Effects& effects) const override {
    expire(effects);
    TROUPE_CHECK(check_order_id(request.order_id()));
    if (!find(state(), request.order_id())) return view();
    v1::Released event;
    event.set_order_id(request.order_id());
    effects.emit(event);
    return view();
  }

  Result<v1::Stock> Get(const v1::GetRequest&) const override { return view(); }

  Result<v1::Stock> Browse(const v1::BrowseRequest&) const override { return view(); }

  void apply(const v1::Received& event) override {
    state().set_on_hand(state().on_hand() + event.quantity());
  }
  void apply(const v1::Reserved& event) override { *state().add_reservations() = event; }
  void apply(const v1::Committed& event) override {
    remove(state(), event.order_id());
    state().set_on_hand(state().on_hand() - event.quantity());
  }
  void apply(const v1::Released& event) override { remove(state(), event.order_id()); }
  void apply(const v1::Expired& event) override {
    for (const auto& order_id : event.order_ids()) remove(state(), order_id);
  }

  // If the command is refused after all, they expire again with the next one.
  void expire(Effects& effects) const {
    const auto expired = find_expired(state(), effects.now());
    if (expired.order_ids_size() > 0) effects.emit(expired);
  }

  v1::Stock view() const { return commerce::view(key(), state(), context().now()); }
  v1::Reservation reply(const v1::Reserved& reserved) const {
    v1::Reservation reservation;
    reservation.set_order_id(reserved.order_id());
    reservation.set_quantity(reserved.quantity());
    *reservation.mutable_expires_at() = to_timestamp(reserved.expires_ms());
    *reservation.mutable_stock() = view();
    return reservation;
  }
};

TROUPE_SERVICE(Sku);

}  // namespace
}  // namespace commerce
