#include "domains/commerce/stock.hpp"

#include <algorithm>

#include "domains/commerce/refusals.hpp"
#include "domains/commerce/shard_time.hpp"

namespace commerce {
namespace {

constexpr std::int64_t hold_ms_max = std::int64_t{30} * 24 * 60 * 60 * 1000;

}  // namespace

const v1::Reserved* find(const v1::InventoryState& state, const std::string& order_id) {
  const auto& all = state.reservations();
  const auto at = std::ranges::find(all, order_id, &v1::Reserved::order_id);
  return at == all.end() ? nullptr : &*at;
}

void remove(v1::InventoryState& state, const std::string& order_id) {
  auto& all = *state.mutable_reservations();
  const auto at = std::ranges::find(all, order_id, &v1::Reserved::order_id);
  if (at != all.end()) all.erase(at);
}

bool has_expired(const v1::Reserved& reservation, troupe::WallTime now) {
  return reservation.expires_ms() <= to_ms(now);
}

v1::Expired find_expired(const v1::InventoryState& state, troupe::WallTime now) {
  v1::Expired expired;
  for (const auto& reservation : state.reservations())
    if (has_expired(reservation, now)) expired.add_order_ids(reservation.order_id());
  return expired;
}

std::int64_t available(const v1::InventoryState& state, troupe::WallTime now) {
  auto left = state.on_hand();
  for (const auto& reservation : state.reservations())
    if (!has_expired(reservation, now)) left -= reservation.quantity();
  return left;
}

v1::Stock view(const std::string& sku, const v1::InventoryState& state, troupe::WallTime now) {
  v1::Stock stock;
  stock.set_sku(sku);
  stock.set_on_hand(state.on_hand());
  stock.set_available(available(state, now));
  stock.set_reserved(state.on_hand() - stock.available());
  stock.set_reservations(static_cast<std::int32_t>(std::ranges::count_if(
      state.reservations(), [now](const auto& one) { return !has_expired(one, now); })));
  *stock.mutable_as_of() = to_timestamp(to_ms(now));
  return stock;
}

troupe::Result<std::int64_t> end_of_hold(const v1::ReserveRequest& request, troupe::WallTime now) {
  const auto& hold = request.hold_for();
  // In this order, so that no multiplication can overflow.
  if (hold.seconds() < 0 || hold.seconds() > hold_ms_max / 1000 || hold.nanos() < 0 ||
      hold.nanos() > 999'999'999)
    return refusals::hold_invalid();
  const auto hold_ms = hold.seconds() * 1000 + hold.nanos() / 1'000'000;
  if (hold_ms < 1 || hold_ms > hold_ms_max) return refusals::hold_invalid();
  return to_ms(now) + hold_ms;
}

}  // namespace commerce
