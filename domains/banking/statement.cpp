#include "domains/banking/statement.hpp"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "domains/banking/refusals.hpp"

namespace banking {
namespace {

// A token is a StatementPosition in hexadecimal digits, which no URL has to escape.
constexpr std::string_view digits = "0123456789abcdef";

std::string encode_token(const v1::StatementPosition& position) {
  std::string token;
  for (const char c : position.SerializeAsString()) {
    token += digits[static_cast<unsigned char>(c) >> 4];
    token += digits[static_cast<unsigned char>(c) & 15];
  }
  return token;
}

std::optional<v1::StatementPosition> decode_token(const std::string& token) {
  if (token.size() % 2 != 0) return std::nullopt;
  std::string bytes;
  for (std::size_t i = 0; i < token.size(); i += 2) {
    const auto high = digits.find(token[i]);
    const auto low = digits.find(token[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    bytes += static_cast<char>(high << 4 | low);
  }
  v1::StatementPosition position;
  if (!position.ParseFromString(bytes) || position.number() == 0) return std::nullopt;
  return position;
}

// What an event means to the customer.
void describe(const v1::AccountEvent& event, const std::string& currency, v1::Entry& entry) {
  const auto money = [&](v1::Money& to, std::int64_t minor_units) {
    to.set_currency(currency);
    to.set_minor_units(minor_units);
  };
  money(*entry.mutable_balance(), 0);  // opened and closed accounts hold nothing
  switch (event.event_case()) {
    case v1::AccountEvent::kOpened:
      return entry.set_kind(v1::Entry::OPENED);
    case v1::AccountEvent::kDeposited:
      entry.set_kind(v1::Entry::DEPOSITED);
      money(*entry.mutable_amount(), event.deposited().minor_units());
      return money(*entry.mutable_balance(), event.deposited().balance());
    case v1::AccountEvent::kWithdrawn:
      entry.set_kind(v1::Entry::WITHDRAWN);
      money(*entry.mutable_amount(), event.withdrawn().minor_units());
      return money(*entry.mutable_balance(), event.withdrawn().balance());
    case v1::AccountEvent::kClosed:
      return entry.set_kind(v1::Entry::CLOSED);
    case v1::AccountEvent::EVENT_NOT_SET:  // written by a newer version
      return entry.clear_balance();
  }
}

}  // namespace

troupe::Result<StatementQuery> StatementQuery::parse(const v1::StatementRequest& request) {
  if (request.page_size() < 0) return refusals::page_size_negative(request.page_size());
  if (!v1::StatementRequest::Order_IsValid(request.order()))
    return refusals::order_unknown(request.order());
  StatementQuery query;
  if (request.page_size() > 0)
    query.size_ = static_cast<std::size_t>(std::min(request.page_size(), size_max));
  query.position_.set_order(request.order());
  if (request.page_token().empty()) return query;

  const auto position = decode_token(request.page_token());
  if (!position || position->order() != request.order()) return refusals::page_token_invalid();
  query.position_ = *position;
  return query;
}

troupe::actors::HistoryOrder StatementQuery::order() const {
  return position_.order() == v1::StatementRequest::OLDEST_FIRST
             ? troupe::actors::HistoryOrder::oldest_first
             : troupe::actors::HistoryOrder::newest_first;
}

v1::StatementPage StatementQuery::answer(
    const troupe::actors::HistoryPage<v1::AccountEvent>& history,
    const std::string& currency) const {
  v1::StatementPage page;
  for (const auto& item : history.items) {
    auto& entry = *page.add_entries();
    entry.set_number(item.sequence);
    *entry.mutable_time() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(
        item.time.time_since_epoch().count());
    describe(item.event, currency, entry);
  }
  if (history.more && !history.items.empty()) {
    auto next = position_;
    const auto last = history.items.back().sequence;
    next.set_number(position_.order() == v1::StatementRequest::OLDEST_FIRST ? last + 1 : last - 1);
    page.set_next_page_token(encode_token(next));
  }
  return page;
}

}  // namespace banking
