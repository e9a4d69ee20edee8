// Why an account refuses. One function per reason; docs/errors/banking.md has a section for each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "runtime/error.hpp"

namespace banking::refusals {

troupe::Error owner_invalid(std::size_t bytes, std::size_t bytes_max);
troupe::Error currency_unknown(const std::string& currency);
troupe::Error amount_not_positive(std::int64_t minor_units);

troupe::Error not_open(const std::string& account);
troupe::Error already_open(const std::string& account);
troupe::Error closed(const std::string& account);
troupe::Error currency_mismatch(const std::string& account, const std::string& held,
                                const std::string& given);
troupe::Error insufficient_funds(const std::string& account, std::int64_t balance,
                                 std::int64_t amount);
troupe::Error balance_overflow(const std::string& account, std::int64_t balance,
                               std::int64_t amount);
troupe::Error balance_not_zero(const std::string& account, std::int64_t balance);

troupe::Error page_size_negative(std::int32_t page_size);
troupe::Error order_unknown(int order);
troupe::Error page_token_invalid();

}  // namespace banking::refusals
