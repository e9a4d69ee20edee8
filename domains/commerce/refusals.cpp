#include "domains/commerce/refusals.hpp"

namespace commerce::refusals {
namespace {

using std::to_string;
using troupe::Error;

std::string named(const std::string& sku) {
  return "the SKU \"" + sku + "\" ";
}

std::string order_named(const std::string& order_id) {
  return "the order \"" + order_id + "\" ";
}

// A caller's text in a message, unless it would fill it.
std::string shown(const std::string& text) {
  return text.size() <= 16 ? "\"" + text + "\"" : "a text of " + to_string(text.size()) + " bytes";
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

Error currency_invalid(const std::string& field, const std::string& currency) {
  return troupe::invalid_argument("CURRENCY_INVALID",
                                  field + ".currency is " + shown(currency) +
                                      "; write the three capital letters of ISO 4217, as \"EUR\"");
}

Error amount_negative(const std::string& field, std::int64_t minor_units) {
  return troupe::invalid_argument("AMOUNT_NEGATIVE", field + ".minor_units is " +
                                                         to_string(minor_units) +
                                                         "; write how many minor units, 0 or more");
}

Error product_name_invalid(std::size_t bytes, std::size_t bytes_max) {
  return troupe::invalid_argument(
      "PRODUCT_NAME_INVALID",
      "name has " + to_string(bytes) + " bytes; name the product in 1 to " + to_string(bytes_max));
}

Error description_too_long(std::size_t bytes, std::size_t bytes_max) {
  return troupe::invalid_argument(
      "DESCRIPTION_TOO_LONG",
      "description has " + to_string(bytes) + " bytes; write at most " + to_string(bytes_max));
}

Error product_not_found(const std::string& sku) {
  return troupe::not_found("PRODUCT_NOT_FOUND",
                           named(sku) + "names no product; publish it first, or check the name");
}

Error product_on_sale(const std::string& sku) {
  return troupe::already_exists(
      "PRODUCT_ON_SALE", named(sku) + "is on sale already; change its price, or retire it first");
}

Error product_retired(const std::string& sku) {
  return troupe::failed_precondition("PRODUCT_RETIRED",
                                     named(sku) + "is not on sale any more; publish it again");
}

Error price_currency_mismatch(const std::string& sku, const std::string& held,
                              const std::string& given) {
  return troupe::failed_precondition("PRICE_CURRENCY_MISMATCH",
                                     named(sku) + "is sold in " + held + "; price.currency is " +
                                         given + ": write a price in " + held +
                                         ", or retire it and publish it in another currency");
}

Error customer_invalid(std::size_t bytes, std::size_t bytes_max) {
  return troupe::invalid_argument("CUSTOMER_INVALID", "customer has " + to_string(bytes) +
                                                          " bytes; name who orders in 1 to " +
                                                          to_string(bytes_max));
}

Error lines_invalid(int lines, int lines_max) {
  return troupe::invalid_argument("LINES_INVALID", "lines has " + to_string(lines) +
                                                       " entries; an order has 1 to " +
                                                       to_string(lines_max) + " lines");
}

Error line_sku_invalid(const std::string& field, std::size_t bytes, std::size_t bytes_max) {
  return troupe::invalid_argument(
      "LINE_SKU_INVALID",
      field + ".sku has " + to_string(bytes) + " bytes; a SKU has 1 to " + to_string(bytes_max));
}

Error line_sku_repeated(const std::string& field) {
  return troupe::invalid_argument(
      "LINE_SKU_REPEATED",
      field + ".sku is that of a line before it; write one line with the quantity of both");
}

Error line_quantity_invalid(const std::string& field, std::int64_t quantity,
                            std::int64_t quantity_max) {
  return troupe::invalid_argument("LINE_QUANTITY_INVALID",
                                  field + ".quantity is " + to_string(quantity) +
                                      "; write how many pieces, 1 to " + to_string(quantity_max));
}

Error currencies_differ(const std::string& field, const std::string& currency,
                        const std::string& total_currency) {
  return troupe::invalid_argument(
      "CURRENCIES_DIFFER", field + ".unit_price.currency is " + currency + ", total.currency is " +
                               total_currency +
                               "; an order has one currency: place one order for each");
}

Error total_overflow(const std::string& field) {
  return troupe::out_of_range("TOTAL_OVERFLOW",
                              "with " + field +
                                  ", the lines add up to more minor units than can be counted; "
                                  "order less at once");
}

Error total_mismatch(std::int64_t total, std::int64_t sum) {
  return troupe::invalid_argument(
      "TOTAL_MISMATCH", "total.minor_units is " + to_string(total) + "; the lines add up to " +
                            to_string(sum) + ": show the customer the right sum, and send that");
}

Error cancel_reason_too_long(std::size_t bytes, std::size_t bytes_max) {
  return troupe::invalid_argument(
      "CANCEL_REASON_TOO_LONG",
      "reason has " + to_string(bytes) + " bytes; write at most " + to_string(bytes_max));
}

Error order_not_found(const std::string& order_id) {
  return troupe::not_found("ORDER_NOT_FOUND",
                           order_named(order_id) + "was never placed; check its name");
}

Error order_already_placed(const std::string& order_id) {
  return troupe::already_exists(
      "ORDER_ALREADY_PLACED",
      order_named(order_id) + "was placed before; read it, or place one of another name");
}

}  // namespace commerce::refusals
