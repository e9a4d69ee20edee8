// What an order does: it is placed, and perhaps cancelled.
#include "commerce/v1/orders.troupe.hpp"
#include "domains/commerce/order_check.hpp"
#include "domains/commerce/refusals.hpp"
#include "domains/commerce/shard_time.hpp"

namespace commerce {
namespace {

constexpr std::size_t cancel_reason_bytes_max = 500;

class CustomerOrder final : public v1::OrdersEntity {
  Result<v1::Order> Place(const v1::PlaceOrderRequest& request, Effects& effects) const override {
    TROUPE_CHECK(check_order(request));
    if (exists()) return refusals::order_already_placed(key());
    v1::Placed event;
    event.set_customer(request.customer());
    *event.mutable_lines() = request.lines();
    *event.mutable_total() = request.total();
    event.set_placed_ms(to_ms(effects.now()));
    effects.emit(event);
    return view();
  }

  Result<v1::Order> Cancel(const v1::CancelOrderRequest& request, Effects& effects) const override {
    if (request.reason().size() > cancel_reason_bytes_max)
      return refusals::cancel_reason_too_long(request.reason().size(), cancel_reason_bytes_max);
    TROUPE_CHECK(exists());
    if (state().status() == v1::Order::CANCELLED) return view();
    v1::Cancelled event;
    event.set_reason(request.reason());
    event.set_cancelled_ms(to_ms(effects.now()));
    effects.emit(event);
    return view();
  }

  Result<v1::Order> Get(const v1::GetOrderRequest&) const override {
    TROUPE_CHECK(exists());
    return view();
  }

  void apply(const v1::Placed& event) override {
    state().set_customer(event.customer());
    *state().mutable_lines() = event.lines();
    *state().mutable_total() = event.total();
    state().set_placed_ms(event.placed_ms());
    state().set_status(v1::Order::PLACED);
  }
  void apply(const v1::Cancelled& event) override {
    state().set_cancel_reason(event.reason());
    state().set_cancelled_ms(event.cancelled_ms());
    state().set_status(v1::Order::CANCELLED);
  }

  Result<void> exists() const {
    if (state().status() == v1::Order::STATUS_UNSPECIFIED) return refusals::order_not_found(key());
    return {};
  }

  v1::Order view() const {
    v1::Order order;
    order.set_order_id(key());
    order.set_customer(state().customer());
    *order.mutable_lines() = state().lines();
    *order.mutable_total() = state().total();
    order.set_status(state().status());
    *order.mutable_placed_at() = to_timestamp(state().placed_ms());
    if (state().status() != v1::Order::CANCELLED) return order;
    *order.mutable_cancelled_at() = to_timestamp(state().cancelled_ms());
    order.set_cancel_reason(state().cancel_reason());
    return order;
  }
};

TROUPE_SERVICE(CustomerOrder);

}  // namespace
}  // namespace commerce
