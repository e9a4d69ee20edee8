// Currencies that an account can hold.
#pragma once

#include <string_view>

namespace banking {

// An alphabetic code of ISO 4217 that names money in use: no fund codes, metals or test codes.
bool is_currency(std::string_view code);

}  // namespace banking
