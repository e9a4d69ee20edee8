#include "domains/banking/refusals.hpp"

namespace banking::refusals {
namespace {

using std::to_string;
using troupe::Error;

std::string named(const std::string& account) {
  return "the account \"" + account + "\" ";
}

// A caller's text in a message, unless it would fill it.
std::string shown(const std::string& text) {
  return text.size() <= 16 ? "\"" + text + "\"" : "a text of " + to_string(text.size()) + " bytes";
}

}  // namespace

Error owner_invalid(std::size_t bytes, std::size_t bytes_max) {
  return troupe::invalid_argument(
      "OWNER_INVALID",
      "owner has " + to_string(bytes) + " bytes; name the holder in 1 to " + to_string(bytes_max));
}

Error currency_unknown(const std::string& currency) {
  return troupe::invalid_argument(
      "CURRENCY_UNKNOWN",
      "currency is " + shown(currency) + "; write an alphabetic code of ISO 4217, as \"EUR\"");
}

Error amount_not_positive(std::int64_t minor_units) {
  return troupe::invalid_argument("AMOUNT_NOT_POSITIVE",
                                  "amount.minor_units is " + to_string(minor_units) +
                                      "; write how many minor units to move, at least 1");
}

Error not_open(const std::string& account) {
  return troupe::not_found("ACCOUNT_NOT_OPEN", named(account) + "does not exist; open it first");
}

Error already_open(const std::string& account) {
  return troupe::already_exists("ACCOUNT_ALREADY_OPEN",
                                named(account) + "is open; use it, or open one of another name");
}

Error closed(const std::string& account) {
  return troupe::failed_precondition("ACCOUNT_CLOSED",
                                     named(account) + "is closed for ever; use or open another");
}

Error currency_mismatch(const std::string& account, const std::string& held,
                        const std::string& given) {
  return troupe::failed_precondition(
      "CURRENCY_MISMATCH", named(account) + "holds " + held + "; amount.currency is " +
                               shown(given) + ": convert it first, or use another account");
}

Error insufficient_funds(const std::string& account, std::int64_t balance, std::int64_t amount) {
  return troupe::failed_precondition(
      "INSUFFICIENT_FUNDS", named(account) + "has " + to_string(balance) +
                                " minor units; withdraw at most that, not " + to_string(amount));
}

Error balance_overflow(const std::string& account, std::int64_t balance, std::int64_t amount) {
  return troupe::out_of_range("BALANCE_OVERFLOW",
                              named(account) + "has " + to_string(balance) +
                                  " minor units and cannot hold " + to_string(amount) +
                                  " more; deposit less, or into another account");
}

Error balance_not_zero(const std::string& account, std::int64_t balance) {
  return troupe::failed_precondition("BALANCE_NOT_ZERO",
                                     named(account) + "has " + to_string(balance) +
                                         " minor units; withdraw them before closing it");
}

Error page_size_negative(std::int32_t page_size) {
  return troupe::invalid_argument("PAGE_SIZE_NEGATIVE", "page_size is " + to_string(page_size) +
                                                            "; write 1 to 500, or 0 for 50");
}

Error order_unknown(int order) {
  return troupe::invalid_argument(
      "ORDER_UNKNOWN", "order is " + to_string(order) + "; write NEWEST_FIRST or OLDEST_FIRST");
}

Error page_token_invalid() {
  return troupe::invalid_argument("PAGE_TOKEN_INVALID",
                                  "page_token is no next_page_token of a statement in this order; "
                                  "write it unchanged, or begin again without it");
}

}  // namespace banking::refusals
