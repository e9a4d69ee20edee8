// Shorthand for tests of orders and the catalog.
#pragma once

#include <cstdint>
#include <string>

#include "commerce/v1/catalog.troupe.hpp"
#include "commerce/v1/orders.troupe.hpp"
#include "tests/domains/commerce/warehouse.hpp"

namespace commerce::tests {

inline v1::Money euros(std::int64_t minor_units) {
  v1::Money money;
  money.set_currency("EUR");
  money.set_minor_units(minor_units);
  return money;
}

inline v1::OrderLine line(const std::string& sku, std::int64_t quantity, std::int64_t unit_price) {
  v1::OrderLine line;
  line.set_sku(sku);
  line.set_quantity(quantity);
  *line.mutable_unit_price() = euros(unit_price);
  return line;
}

// Two lamps and three bulbs, 27.50 euros.
inline v1::PlaceOrderRequest lamps_and_bulbs() {
  v1::PlaceOrderRequest request;
  request.set_customer("Alice");
  *request.add_lines() = line("lamp", 2, 1000);
  *request.add_lines() = line("bulb", 3, 250);
  *request.mutable_total() = euros(2750);
  return request;
}

// One order, run in memory.
class OrderDesk {
 public:
  explicit OrderDesk(std::string order_id = "A-1")
      : ref_{order_id}, harness_{"commerce.v1.Orders", order_id} {}

  troupe::Result<v1::Order> place(const v1::PlaceOrderRequest& request = lamps_and_bulbs()) {
    return harness_.call(ref_.Place(request));
  }
  troupe::Result<v1::Order> cancel(const std::string& why = "") {
    v1::CancelOrderRequest request;
    request.set_reason(why);
    return harness_.call(ref_.Cancel(request));
  }
  troupe::Result<v1::Order> get() { return harness_.call(ref_.Get()); }

  troupe::testing::EntityHarness& harness() { return harness_; }
  void pass(milliseconds time) { harness_.advance(time); }

 private:
  v1::OrdersRef ref_;
  troupe::testing::EntityHarness harness_;
};

// The product "lamp", run in memory.
class Shelf {
 public:
  troupe::Result<v1::Product> publish(const v1::PublishRequest& request) {
    return harness_.call(ref_.Publish(request));
  }
  troupe::Result<v1::Product> publish(const v1::Money& price = euros(1000)) {
    v1::PublishRequest request;
    request.set_name("Lamp");
    request.set_description("It shines.");
    *request.mutable_price() = price;
    return publish(request);
  }
  troupe::Result<v1::Product> change_price(const v1::Money& price) {
    v1::ChangePriceRequest request;
    *request.mutable_price() = price;
    return harness_.call(ref_.ChangePrice(request));
  }
  troupe::Result<v1::Product> retire() { return harness_.call(ref_.Retire()); }
  troupe::Result<v1::Product> get() { return harness_.call(ref_.Get()); }

  troupe::testing::EntityHarness& harness() { return harness_; }

 private:
  v1::CatalogRef ref_{"lamp"};
  troupe::testing::EntityHarness harness_{"commerce.v1.Catalog", "lamp"};
};

}  // namespace commerce::tests
