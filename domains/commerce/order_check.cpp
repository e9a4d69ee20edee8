#include "domains/commerce/order_check.hpp"

#include <set>
#include <string_view>

#include "actors/encoding.hpp"
#include "domains/commerce/money.hpp"
#include "domains/commerce/refusals.hpp"

namespace commerce {
namespace {

constexpr std::size_t order_id_bytes_max = 64;
constexpr std::size_t customer_bytes_max = 200;
constexpr int lines_max = 100;  // they are all in the state, which each command stores
constexpr std::int64_t quantity_max = 1'000'000;

// A line by itself; `field` is its place in the request.
troupe::Result<void> check_line(const std::string& field, const v1::OrderLine& line,
                                const std::string& currency) {
  if (line.sku().empty() || line.sku().size() > troupe::actors::key_bytes_max)
    return refusals::line_sku_invalid(field, line.sku().size(), troupe::actors::key_bytes_max);
  if (line.quantity() < 1 || line.quantity() > quantity_max)
    return refusals::line_quantity_invalid(field, line.quantity(), quantity_max);
  TROUPE_CHECK(check_amount(field + ".unit_price", line.unit_price()));
  if (line.unit_price().currency() != currency)
    return refusals::currencies_differ(field, line.unit_price().currency(), currency);
  return {};
}

}  // namespace

troupe::Result<void> check_order_id(const std::string& order_id) {
  if (order_id.empty() || order_id.size() > order_id_bytes_max)
    return refusals::order_id_invalid(order_id.size(), order_id_bytes_max);
  return {};
}

troupe::Result<void> check_order(const v1::PlaceOrderRequest& request) {
  TROUPE_CHECK(check_order_id(request.order_id()));
  if (request.customer().empty() || request.customer().size() > customer_bytes_max)
    return refusals::customer_invalid(request.customer().size(), customer_bytes_max);
  if (request.lines().empty() || request.lines_size() > lines_max)
    return refusals::lines_invalid(request.lines_size(), lines_max);
  TROUPE_CHECK(check_amount("total", request.total()));
  std::set<std::string_view> skus;
  std::int64_t sum = 0;
  for (int i = 0; i < request.lines_size(); ++i) {
    const auto& line = request.lines(i);
    const auto field = "lines[" + std::to_string(i) + "]";
    TROUPE_CHECK(check_line(field, line, request.total().currency()));
    if (!skus.insert(line.sku()).second) return refusals::line_sku_repeated(field);
    std::int64_t amount = 0;
    if (__builtin_mul_overflow(line.quantity(), line.unit_price().minor_units(), &amount) ||
        __builtin_add_overflow(sum, amount, &sum))
      return refusals::total_overflow(field);
  }
  if (sum != request.total().minor_units())
    return refusals::total_mismatch(request.total().minor_units(), sum);
  return {};
}

}  // namespace commerce
