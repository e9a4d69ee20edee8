// What an order and a product of commerce do, as simply as it can be said.
#pragma once

#include <functional>
#include <string>

#include "commerce/v1/catalog.troupe.hpp"
#include "commerce/v1/orders.troupe.hpp"
#include "simulations/rehearsal/model.hpp"

namespace troupe::simulations {

namespace shop = ::commerce::v1;

// A fingerprint of all that an entity is.
inline std::string fingerprint(const google::protobuf::Message& message) {
  return std::to_string(std::hash<std::string>{}(message.SerializeAsString()));
}

// When an order was placed and cancelled is learned from the first reply that shows it; it may not
// change.
class OrderModel final : public EntityModel<OrderModel> {
 public:
  static void methods(Methods& on) {
    on("Place", &OrderModel::place);
    on("Cancel", &OrderModel::cancel);
    on("Get", &OrderModel::get);
  }

  std::string state() const override { return fingerprint(order_); }

 private:
  Result<shop::Order> place(const shop::PlaceOrderRequest& request, const shop::Order* seen) {
    if (request.lines().empty()) return refusal("LINES_INVALID");
    std::int64_t sum = 0;
    for (const auto& line : request.lines()) {
      if (line.quantity() < 1) return refusal("LINE_QUANTITY_INVALID");
      sum += line.quantity() * line.unit_price().minor_units();
    }
    if (sum != request.total().minor_units()) return refusal("TOTAL_MISMATCH");
    if (!is_new()) return refusal("ORDER_ALREADY_PLACED");
    order_.set_order_id(key());
    order_.set_customer(request.customer());
    *order_.mutable_lines() = request.lines();
    *order_.mutable_total() = request.total();
    order_.set_status(shop::Order::PLACED);
    return shown(seen);
  }
  Result<shop::Order> cancel(const shop::CancelOrderRequest& request, const shop::Order* seen) {
    if (is_new()) return refusal("ORDER_NOT_FOUND");
    if (order_.status() == shop::Order::PLACED) {
      order_.set_status(shop::Order::CANCELLED);
      order_.set_cancel_reason(request.reason());
    }
    return shown(seen);
  }
  Result<shop::Order> get(const shop::GetOrderRequest&, const shop::Order* seen) {
    if (is_new()) return refusal("ORDER_NOT_FOUND");
    return shown(seen);
  }

  bool is_new() const { return order_.status() == shop::Order::STATUS_UNSPECIFIED; }

  shop::Order shown(const shop::Order* seen) {
    if (seen == nullptr) return order_;
    if (!order_.has_placed_at()) *order_.mutable_placed_at() = seen->placed_at();
    if (order_.status() == shop::Order::CANCELLED && !order_.has_cancelled_at())
      *order_.mutable_cancelled_at() = seen->cancelled_at();
    return order_;
  }

  shop::Order order_;
};

class ProductModel final : public EntityModel<ProductModel> {
 public:
  static void methods(Methods& on) {
    on("Publish", &ProductModel::publish);
    on("ChangePrice", &ProductModel::change_price);
    on("Retire", &ProductModel::retire);
    on("Get", &ProductModel::get);
  }

  std::string state() const override { return fingerprint(product_); }

 private:
  Result<shop::Product> publish(const shop::PublishRequest& request) {
    if (request.name().empty()) return refusal("PRODUCT_NAME_INVALID");
    if (request.price().minor_units() < 0) return refusal("AMOUNT_NEGATIVE");
    if (product_.status() == shop::Product::ON_SALE) return refusal("PRODUCT_ON_SALE");
    product_.set_sku(key());
    product_.set_name(request.name());
    product_.set_description(request.description());
    *product_.mutable_price() = request.price();
    product_.set_status(shop::Product::ON_SALE);
    return product_;
  }
  Result<shop::Product> change_price(const shop::ChangePriceRequest& request) {
    if (request.price().minor_units() < 0) return refusal("AMOUNT_NEGATIVE");
    if (is_new()) return refusal("PRODUCT_NOT_FOUND");
    if (product_.status() == shop::Product::RETIRED) return refusal("PRODUCT_RETIRED");
    if (request.price().currency() != product_.price().currency())
      return refusal("PRICE_CURRENCY_MISMATCH");
    *product_.mutable_price() = request.price();
    return product_;
  }
  Result<shop::Product> retire(const shop::RetireRequest&) {
    if (is_new()) return refusal("PRODUCT_NOT_FOUND");
    product_.set_status(shop::Product::RETIRED);
    return product_;
  }
  Result<shop::Product> get(const shop::GetProductRequest&) {
    if (is_new()) return refusal("PRODUCT_NOT_FOUND");
    return product_;
  }

  bool is_new() const { return product_.status() == shop::Product::STATUS_UNSPECIFIED; }

  shop::Product product_;
};

}  // namespace troupe::simulations
