// Whether orders and their names can be as they are written: pure functions of the request.
#pragma once

#include <string>

#include "commerce/v1/orders.pb.h"
#include "runtime/result.hpp"

namespace commerce {

// 1 to 64 bytes, in Orders as in the reservations of Inventory. INVALID_ARGUMENT with reason
// ORDER_ID_INVALID.
troupe::Result<void> check_order_id(const std::string& order_id);

// The first thing that is wrong, by the field in which it stands: all are INVALID_ARGUMENT, but for
// TOTAL_OVERFLOW, which is OUT_OF_RANGE.
troupe::Result<void> check_order(const v1::PlaceOrderRequest& request);

}  // namespace commerce
