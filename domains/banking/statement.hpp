// One page of an account's history: what was asked for, checked, and how it is answered.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "banking/v1/accounts.troupe.hpp"

namespace banking {

class StatementQuery {
 public:
  static constexpr std::int32_t size_default = 50;
  static constexpr std::int32_t size_max = 500;

  // INVALID_ARGUMENT with reason PAGE_SIZE_NEGATIVE, ORDER_UNKNOWN or PAGE_TOKEN_INVALID.
  static troupe::Result<StatementQuery> parse(const v1::StatementRequest& request);

  // For history().
  troupe::actors::HistoryOrder order() const;
  std::uint64_t from() const { return position_.number(); }
  std::size_t size() const { return size_; }

  v1::StatementPage answer(const troupe::actors::HistoryPage<v1::AccountEvent>& history,
                           const std::string& currency) const;

 private:
  v1::StatementPosition position_;
  std::size_t size_ = size_default;
};

}  // namespace banking
