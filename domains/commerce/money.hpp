// Amounts in minor units of one currency: exact, never rounded, never converted.
#pragma once

#include <string>

#include "commerce/v1/money.pb.h"
#include "runtime/result.hpp"

namespace commerce {

// A price may be zero, as of a gift. `field`: where the amount stands in the request, for the
// message. INVALID_ARGUMENT with reason CURRENCY_INVALID or AMOUNT_NEGATIVE.
troupe::Result<void> check_amount(const std::string& field, const v1::Money& amount);

}  // namespace commerce
