// Why an inventory refuses. One function per reason; docs/errors/commerce.md has a section for
// each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/error.hpp"

namespace commerce::refusals {

troupe::Error quantity_not_positive(std::int64_t quantity);
troupe::Error order_id_invalid(std::size_t bytes, std::size_t bytes_max);
troupe::Error hold_invalid();

troupe::Error stock_overflow(const std::string& sku, std::int64_t on_hand, std::int64_t quantity);
troupe::Error insufficient_stock(const std::string& sku, std::int64_t available,
                                 std::int64_t quantity);
troupe::Error reservations_full(const std::string& sku, int reservations_max);
troupe::Error reservation_mismatch(const std::string& sku, std::int64_t held,
                                   std::int64_t quantity);
troupe::Error reservation_not_found(const std::string& sku);

}  // namespace commerce::refusals
