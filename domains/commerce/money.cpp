#include "domains/commerce/money.hpp"

#include <algorithm>

#include "domains/commerce/refusals.hpp"

namespace commerce {

troupe::Result<void> check_amount(const std::string& field, const v1::Money& amount) {
  const auto& code = amount.currency();
  if (code.size() != 3 || !std::ranges::all_of(code, [](char c) { return c >= 'A' && c <= 'Z'; }))
    return refusals::currency_invalid(field, code);
  if (amount.minor_units() < 0) return refusals::amount_negative(field, amount.minor_units());
  return {};
}

}  // namespace commerce
