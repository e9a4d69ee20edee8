// Why the services of this context refuse. One function per reason; docs/errors/commerce.md has a
// section for each. `field` is where the mistake stands in the request.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/error.hpp"

namespace commerce::refusals {

// --- Inventory -----------------------------------------------------------------------------------
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

// --- money ---------------------------------------------------------------------------------------
troupe::Error currency_invalid(const std::string& field, const std::string& currency);
troupe::Error amount_negative(const std::string& field, std::int64_t minor_units);

// --- Catalog -------------------------------------------------------------------------------------
troupe::Error product_name_invalid(std::size_t bytes, std::size_t bytes_max);
troupe::Error description_too_long(std::size_t bytes, std::size_t bytes_max);
troupe::Error product_not_found(const std::string& sku);
troupe::Error product_on_sale(const std::string& sku);
troupe::Error product_retired(const std::string& sku);
troupe::Error price_currency_mismatch(const std::string& sku, const std::string& held,
                                      const std::string& given);

// --- Orders --------------------------------------------------------------------------------------
troupe::Error customer_invalid(std::size_t bytes, std::size_t bytes_max);
troupe::Error lines_invalid(int lines, int lines_max);
troupe::Error line_sku_invalid(const std::string& field, std::size_t bytes, std::size_t bytes_max);
troupe::Error line_sku_repeated(const std::string& field);
troupe::Error line_quantity_invalid(const std::string& field, std::int64_t quantity,
                                    std::int64_t quantity_max);
troupe::Error currencies_differ(const std::string& field, const std::string& currency,
                                const std::string& total_currency);
troupe::Error total_overflow(const std::string& field);
troupe::Error total_mismatch(std::int64_t total, std::int64_t sum);
troupe::Error cancel_reason_too_long(std::size_t bytes, std::size_t bytes_max);
troupe::Error order_not_found(const std::string& order_id);
troupe::Error order_already_placed(const std::string& order_id);

}  // namespace commerce::refusals
