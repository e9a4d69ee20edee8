#include "domains/commerce/refusals.hpp"

namespace commerce::refusals {
namespace {

using std::to_string;
using troupe::Error;

std::string named(const std::string& sku) {
  return "the SKU \"" + sku + "\" ";
}

}  // namespace

Error quantity_not_positive(std::int64_t quantity) {
  return troupe::invalid_argument(
      "QUANTITY_NOT_POSITIVE",
      "quantity is " + to_string(quantity) + "; write how many pieces, at least 1");
}

Error order_id_invalid(std::size_t bytes, std::size_t bytes_max) {
  return troupe::invalid_argument("ORDER_ID_INVALID", "order_id has " + to_string(bytes) +
                                                          " bytes; name the order in 1 to " +
                                                          to_string(bytes_max));
}

Error hold_invalid() {
  return troupe::invalid_argument(
      "HOLD_INVALID",
      "hold_for is missing, or not from 1 millisecond to 30 days; write for how long to hold the "
      "goods, as \"600s\"");
}

Error stock_overflow(const std::string& sku, std::int64_t on_hand, std::int64_t quantity) {
  return troupe::out_of_range("STOCK_OVERFLOW", named(sku) + "has " + to_string(on_hand) +
                                                    " on hand and cannot count " +
                                                    to_string(quantity) + " more; receive less");
}

Error insufficient_stock(const std::string& sku, std::int64_t available, std::int64_t quantity) {
  return troupe::failed_precondition(
      "INSUFFICIENT_STOCK", named(sku) + "has " + to_string(available) +
                                " available; reserve at most that, not " + to_string(quantity));
}

Error reservations_full(const std::string& sku, int reservations_max) {
  return troupe::resource_exhausted(
      "RESERVATIONS_FULL", named(sku) + "has " + to_string(reservations_max) +
                               " open reservations, the most there may be; try again when some "
                               "were committed, released or have expired");
}

Error reservation_mismatch(const std::string& sku, std::int64_t held, std::int64_t quantity) {
  return troupe::failed_precondition("RESERVATION_MISMATCH",
                                     named(sku) + "holds " + to_string(held) +
                                         " for this order; release them before reserving " +
                                         to_string(quantity));
}

Error reservation_not_found(const std::string& sku) {
  return troupe::not_found(
      "RESERVATION_NOT_FOUND",
      named(sku) +
          "holds nothing for this order: it was never reserved, has expired, or was "
          "committed or released before");
}

}  // namespace commerce::refusals
