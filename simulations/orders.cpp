// Customers who read prices, order, and change their minds, some of them about the same order;
// merchants who change the prices meanwhile, and take products off sale and back.
#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <map>

#include "runtime/rehearsal/marks.hpp"
#include "simulations/models/shop_models.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using shop::CatalogRef;
using shop::OrdersRef;

// Some need escapes in a path.
const std::vector<std::string>& products() {
  static const std::vector<std::string> names{"lamp", "cup & saucer", "1/2 dozen: eggs",
                                              "k\xc3\xa4se", "100%"};
  return names;
}

const std::string& any_product(Client& client) {
  return products()[client.between(0, products().size() - 1)];
}

shop::Money price(Client& client, const char* currency) {
  shop::Money money;
  money.set_currency(currency);
  // Now and then a wrong one.
  money.set_minor_units(client.one_in(50) ? -1
                                          : static_cast<std::int64_t>(client.between(0, 99'999)));
  return money;
}

// Callers who are not sure, or use a key again.
Task<void> doubt(Client& client, const actors::CallBase& other) {
  if (client.one_in(10)) co_await client.misuse(other);
  if (client.one_in(10)) {
    co_await client.wait(client.between(0ms, client.one_in(3) ? 15s : 500ms));
    co_await client.repeat();
  }
}

Task<void> publish(Client& client, const std::string& sku) {
  shop::PublishRequest request;
  if (!client.one_in(50)) request.set_name(sku + " of " + client.name());
  request.set_description(std::string(client.between(0, 300), 'd'));
  *request.mutable_price() = price(client, client.one_in(4) ? "USD" : "EUR");
  co_await client.call(CatalogRef{sku}.Publish(request));
}

Task<void> change_price(Client& client, const std::string& sku) {
  shop::ChangePriceRequest request;
  *request.mutable_price() = price(client, client.one_in(8) ? "USD" : "EUR");
  const auto answer = co_await client.call(CatalogRef{sku}.ChangePrice(request));
  if (!answer.ok()) co_return;
  request.mutable_price()->set_minor_units(request.price().minor_units() + 1);
  const actors::CallBase other = CatalogRef{sku}.ChangePrice(request);
  co_await doubt(client, other);
}

Script merchant(Client& client) {
  const auto pace = client.between(5ms, 150ms);
  while (client.running()) {
    const auto& sku = any_product(client);
    const auto what = client.between(1, 100);
    if (what <= 30) {
      co_await publish(client, sku);
    } else if (what <= 80) {
      co_await change_price(client, sku);
    } else if (what <= 90) {
      co_await client.call(CatalogRef{sku}.Retire());
    } else {
      co_await client.call(CatalogRef{sku}.Get());
    }
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

// A few products at the prices that they have now, of one currency. Nothing if there are none.
Task<shop::PlaceOrderRequest> fill_basket(Client& client) {
  shop::PlaceOrderRequest request;
  request.set_customer(client.name());
  auto& total = *request.mutable_total();
  for (const auto& sku : products()) {
    if (client.one_in(2)) continue;
    const auto product = co_await client.call(CatalogRef{sku}.Get());
    if (!product.ok() || product->status() != shop::Product::ON_SALE) continue;
    if (total.currency().empty()) total.set_currency(product->price().currency());
    if (total.currency() != product->price().currency()) continue;
    auto& line = *request.add_lines();
    line.set_sku(sku);
    line.set_quantity(static_cast<std::int64_t>(client.between(1, 20)));
    *line.mutable_unit_price() = product->price();
    total.set_minor_units(total.minor_units() + line.quantity() * product->price().minor_units());
  }
  co_return request;
}

Task<void> place(Client& client, const std::string& order_id) {
  auto request = co_await fill_basket(client);
  if (client.one_in(30)) request.mutable_total()->set_minor_units(1);
  if (client.one_in(40) && !request.lines().empty()) request.mutable_lines(0)->set_quantity(0);
  const auto answer = co_await client.call(OrdersRef{order_id}.Place(request));
  TROUPE_SOMETIMES_IF(answer.refused("ORDER_ALREADY_PLACED"),
                      "an order was placed when there was one");
  if (!answer.ok()) co_return;
  request.set_customer("somebody else");
  const actors::CallBase other = OrdersRef{order_id}.Place(request);
  co_await doubt(client, other);
}

Task<void> cancel(Client& client, const std::string& order_id) {
  shop::CancelOrderRequest request;
  // Different reasons, so that an order tells who cancelled it.
  request.set_reason(client.name() + " at " + seconds_text(client.now()));
  const auto answer = co_await client.call(OrdersRef{order_id}.Cancel(request));
  TROUPE_SOMETIMES_IF(answer.ok() && answer->cancel_reason() != request.reason(),
                      "an order was cancelled once more");
}

// Orders of its own, and with everybody else the one of this second.
Script buyer(Client& client) {
  const auto pace = client.between(5ms, 150ms);
  std::uint64_t orders = 0;
  while (client.running()) {
    const bool rush = client.one_in(3);
    const auto second = static_cast<std::uint64_t>(client.now() / 1s);
    const auto number = rush ? second - client.between(0, std::min<std::uint64_t>(second, 1))
                        : (orders < 3 || client.one_in(2)) ? ++orders
                                                           : client.between(1, orders);
    const auto order_id = (rush ? "rush" : client.name()) + '/' + std::to_string(number);
    const auto what = client.between(1, 100);
    if (what <= 60) {
      co_await place(client, order_id);
    } else if (what <= 80) {
      co_await cancel(client, order_id);
    } else {
      co_await client.call(OrdersRef{order_id}.Get());
    }
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

bool adds_up_to_total(const shop::Order& order) {
  std::int64_t sum = 0;
  for (const auto& line : order.lines()) sum += line.quantity() * line.unit_price().minor_units();
  return order.lines_size() > 0 && sum == order.total().minor_units();
}

bool is_cancelled_after_placed(const shop::Order& order) {
  if (!order.has_placed_at()) return false;
  const bool cancelled = order.status() == shop::Order::CANCELLED;
  if (!cancelled || !order.has_cancelled_at()) return cancelled == order.has_cancelled_at();
  return order.cancelled_at() >= order.placed_at();
}

// What customers were told of an order.
struct Told {
  bool placed = false;
  bool cancelled = false;
  bool perhaps_cancelled = false;
};

std::map<std::string, Told> all_told(const History& history) {
  std::map<std::string, Told> orders;
  for (const auto& operation : history.all()) {
    if (operation.read_only() || operation.service->name != "commerce.v1.Orders") continue;
    const bool done = operation.outcome == Operation::Outcome::success;
    auto& told = orders[operation.key];
    if (operation.service->methods[operation.method].name == "Place") {
      told.placed |= done;
    } else {
      told.cancelled |= done;
      told.perhaps_cancelled |= operation.open();
    }
  }
  return orders;
}

Script orders_are_as_told(Reading& read) {
  const auto orders = all_told(read.history());
  for (const auto& [order_id, told] : orders) {
    if (!told.placed) continue;
    const auto order = co_await read.call(OrdersRef{order_id}.Get());
    read.expect(order.ok(), order_id + " was placed and cannot be read");
    if (!order.ok()) continue;
    const bool cancelled = order->status() == shop::Order::CANCELLED;
    read.expect(cancelled || !told.cancelled, order_id + " was cancelled and is not");
    read.expect(!cancelled || told.cancelled || told.perhaps_cancelled,
                order_id + " is cancelled, and nobody did that");
  }
  // The model compares what they show.
  for (const auto& sku : products()) co_await read.call(CatalogRef{sku}.Get());
}

SIMULATION(orders, "orders keep what was ordered while prices change, and are cancelled once") {
  sim.faults(Faults::everything());
  sim.duration(30s);
  sim.model<OrderModel>("commerce.v1.Orders");
  sim.model<ProductModel>("commerce.v1.Catalog");
  sim.clients(6, buyer);
  sim.clients(2, merchant);
  sim.always("the lines of an order add up to its total", adds_up_to_total);
  sim.always("an order is cancelled after it was placed", is_cancelled_after_placed);
  sim.always("no price is negative",
             [](const shop::Product& product) { return product.price().minor_units() >= 0; });
  sim.finally("orders are what customers were told", orders_are_as_told);
}

}  // namespace
}  // namespace troupe::simulations
