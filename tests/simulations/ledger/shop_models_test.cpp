// The models of orders and of products: what they explain, and what they do not.
#include "simulations/models/shop_models.hpp"

#include <doctest/doctest.h>
#include <google/protobuf/util/time_util.h>

#include "tests/simulations/ledger/entity_story.hpp"

namespace troupe::simulations {
namespace {

using google::protobuf::util::TimeUtil;

class OrderStory : public EntityStory<shop::OrdersEntity, OrderModel> {
 public:
  OrderStory() : EntityStory("o") {}

  static shop::PlaceOrderRequest request() {
    shop::PlaceOrderRequest request;
    request.set_customer("ann");
    auto& line = *request.add_lines();
    line.set_sku("lamp");
    line.set_quantity(2);
    line.mutable_unit_price()->set_minor_units(5);
    request.mutable_total()->set_minor_units(10);
    return request;
  }
  static shop::Order placed_at(std::int64_t ms) {
    shop::Order order;
    order.set_order_id("o");
    order.set_customer("ann");
    *order.mutable_lines() = request().lines();
    *order.mutable_total() = request().total();
    order.set_status(shop::Order::PLACED);
    *order.mutable_placed_at() = TimeUtil::MillisecondsToTimestamp(ms);
    return order;
  }
  static shop::Order cancelled_at(std::int64_t ms, const char* why) {
    auto order = placed_at(1000);
    order.set_status(shop::Order::CANCELLED);
    order.set_cancel_reason(why);
    *order.mutable_cancelled_at() = TimeUtil::MillisecondsToTimestamp(ms);
    return order;
  }

  void placed() { answered("Place", request(), placed_at(1000)); }
  void cancelled(const char* why, const shop::Order& reply) {
    shop::CancelOrderRequest request;
    request.set_reason(why);
    answered("Cancel", request, reply);
  }
  void saw(const shop::Order& reply) { answered("Get", shop::GetOrderRequest{}, reply); }
};

TEST_CASE("an order shows the same lines, total and time for ever") {
  OrderStory story;
  story.placed();
  story.saw(OrderStory::placed_at(1000));
  CHECK(story.holds());
  auto later = story;
  later.saw(OrderStory::placed_at(1001));
  CHECK_FALSE(later.holds());
  auto dearer = OrderStory::placed_at(1000);
  dearer.mutable_total()->set_minor_units(11);
  story.saw(dearer);
  CHECK_FALSE(story.holds());
}

TEST_CASE("an order whose placing had no answer tells its time once it is seen") {
  OrderStory story;
  story.did("Place", OrderStory::request(), Operation::Outcome::unknown);
  story.saw(OrderStory::placed_at(7));
  CHECK(story.holds());
  story.saw(OrderStory::placed_at(8));
  CHECK_FALSE(story.holds());
}

TEST_CASE("an order is placed once, and cancelled for the first reason") {
  OrderStory story;
  story.placed();
  story.refused("Place", OrderStory::request(), "ORDER_ALREADY_PLACED");
  story.cancelled("first", OrderStory::cancelled_at(2000, "first"));
  story.cancelled("second", OrderStory::cancelled_at(2000, "first"));
  CHECK(story.holds());
  auto again = story;
  again.cancelled("third", OrderStory::cancelled_at(3000, "third"));
  CHECK_FALSE(again.holds());
  story.saw(OrderStory::placed_at(1000));
  CHECK_FALSE(story.holds());
}

TEST_CASE("an order that was placed is not lost") {
  OrderStory story;
  story.placed();
  story.refused("Get", shop::GetOrderRequest{}, "ORDER_NOT_FOUND");
  CHECK_FALSE(story.holds());
}

class ProductStory : public EntityStory<shop::CatalogEntity, ProductModel> {
 public:
  ProductStory() : EntityStory("lamp") {}

  static shop::Money cents(std::int64_t minor_units) {
    shop::Money money;
    money.set_minor_units(minor_units);
    return money;
  }
  static shop::Product product(std::int64_t price, shop::Product::Status status) {
    shop::Product product;
    product.set_sku("lamp");
    product.set_name("Lamp");
    *product.mutable_price() = cents(price);
    product.set_status(status);
    return product;
  }
  void published(std::int64_t price) {
    shop::PublishRequest request;
    request.set_name("Lamp");
    *request.mutable_price() = cents(price);
    answered("Publish", request, product(price, shop::Product::ON_SALE));
  }
  shop::ChangePriceRequest new_price(std::int64_t price) {
    shop::ChangePriceRequest request;
    *request.mutable_price() = cents(price);
    return request;
  }
  void saw(const shop::Product& reply) { answered("Get", shop::GetProductRequest{}, reply); }
};

TEST_CASE("a product has the price that it was given last, and keeps it when it is retired") {
  ProductStory story;
  story.published(5);
  story.answered("ChangePrice", story.new_price(7),
                 ProductStory::product(7, shop::Product::ON_SALE));
  CHECK(story.holds());
  auto stale = story;
  stale.saw(ProductStory::product(5, shop::Product::ON_SALE));
  CHECK_FALSE(stale.holds());
  story.answered("Retire", shop::RetireRequest{}, ProductStory::product(7, shop::Product::RETIRED));
  story.refused("ChangePrice", story.new_price(8), "PRODUCT_RETIRED");
  story.published(9);
  CHECK(story.holds());
  story.refused("ChangePrice", story.new_price(8), "PRODUCT_RETIRED");
  CHECK_FALSE(story.holds());
}

}  // namespace
}  // namespace troupe::simulations
