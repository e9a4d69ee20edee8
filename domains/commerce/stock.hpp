// Arithmetic of a stock: what is reserved, what has expired, what is left. Pure functions of the
// state; quantities are never negative and none of the sums can overflow, because the reservations
// of a state never exceed what is on hand.
#pragma once

#include <cstdint>
#include <string>

#include "commerce/v1/inventory.troupe.hpp"

namespace commerce {

// The order's reservation, expired or not, or null.
const v1::Reserved* find(const v1::InventoryState& state, const std::string& order_id);

void remove(v1::InventoryState& state, const std::string& order_id);

// A reservation ends at its `expires_ms`: from that moment on it counts as released.
bool has_expired(const v1::Reserved& reservation, troupe::WallTime now);
v1::Expired find_expired(const v1::InventoryState& state, troupe::WallTime now);

// The quantity that is neither reserved at `now` nor gone.
std::int64_t available(const v1::InventoryState& state, troupe::WallTime now);

v1::Stock view(const std::string& sku, const v1::InventoryState& state, troupe::WallTime now);

// When a reservation made at `now` ends, in milliseconds of shard time. INVALID_ARGUMENT with
// reason HOLD_INVALID, if it is not for 1 millisecond to 30 days.
troupe::Result<std::int64_t> end_of_hold(const v1::ReserveRequest& request, troupe::WallTime now);

}  // namespace commerce
