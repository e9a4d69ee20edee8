#include <doctest/doctest.h>

#include "tests/domains/commerce/shop.hpp"

using namespace commerce::tests;
namespace v1 = commerce::v1;
using troupe::Code;

namespace {

// Why lamps and bulbs cannot be placed when `spoil` has changed the request.
template <class Spoil>
troupe::Error refused(const Spoil& spoil) {
  auto request = lamps_and_bulbs();
  spoil(request);
  OrderDesk desk;
  const auto order = desk.place(request);
  REQUIRE_FALSE(order.has_value());
  CHECK(desk.harness().events().empty());
  return order.error();
}

}  // namespace

TEST_CASE("an order is placed as the customer wrote it, at the time of its shard") {
  OrderDesk desk;
  desk.pass(milliseconds{5});
  const auto order = desk.place();
  REQUIRE(order);
  CHECK(order->order_id() == "A-1");
  CHECK(order->customer() == "Alice");
  REQUIRE(order->lines_size() == 2);
  CHECK(order->lines(0).SerializeAsString() == line("lamp", 2, 1000).SerializeAsString());
  CHECK(order->lines(1).SerializeAsString() == line("bulb", 3, 250).SerializeAsString());
  CHECK(order->total().currency() == "EUR");
  CHECK(order->total().minor_units() == 2750);
  CHECK(order->status() == v1::Order::PLACED);
  CHECK(to_ms(order->placed_at()) == desk.harness().now().time_since_epoch().count());
  CHECK_FALSE(order->has_cancelled_at());
  desk.pass(milliseconds{1000});
  CHECK(desk.get()->SerializeAsString() == order->SerializeAsString());
}

TEST_CASE("an order is placed once, even if a second one is the same") {
  OrderDesk desk;
  REQUIRE(desk.place());
  const auto again = desk.place();
  CHECK(reason(again) == "ORDER_ALREADY_PLACED");
  CHECK(again.error().code == Code::already_exists);
  REQUIRE(desk.cancel());
  CHECK(reason(desk.place()) == "ORDER_ALREADY_PLACED");
  CHECK(desk.harness().events().size() == 2);
}

TEST_CASE("a cancelled order says when and why, and keeps its lines") {
  OrderDesk desk;
  const auto placed = desk.place();
  desk.pass(milliseconds{1500});
  const auto order = desk.cancel("found a nicer one");
  REQUIRE(order);
  CHECK(order->status() == v1::Order::CANCELLED);
  CHECK(order->cancel_reason() == "found a nicer one");
  CHECK(to_ms(order->cancelled_at()) == to_ms(placed->placed_at()) + 1500);
  CHECK(to_ms(order->placed_at()) == to_ms(placed->placed_at()));
  CHECK(order->lines_size() == 2);
  CHECK(order->total().minor_units() == 2750);
}

TEST_CASE("cancelling once more changes nothing, not the reason either") {
  OrderDesk desk;
  REQUIRE(desk.place());
  const auto first = desk.cancel("first");
  desk.pass(milliseconds{10});
  CHECK(desk.cancel("second")->SerializeAsString() == first->SerializeAsString());
  CHECK(desk.harness().events().size() == 2);
}

TEST_CASE("what was never placed can be neither read nor cancelled") {
  OrderDesk desk;
  CHECK(reason(desk.get()) == "ORDER_NOT_FOUND");
  const auto refused = desk.cancel();
  CHECK(reason(refused) == "ORDER_NOT_FOUND");
  CHECK(refused.error().code == Code::not_found);
}

TEST_CASE("an order that was dropped from memory goes on where it was") {
  OrderDesk desk;
  const auto placed = desk.place();
  desk.harness().reload();
  CHECK(desk.get()->SerializeAsString() == placed->SerializeAsString());
  REQUIRE(desk.cancel("late"));
  desk.harness().reload();
  CHECK(desk.get()->cancel_reason() == "late");
}

TEST_CASE("the total is what the lines add up to") {
  const auto error = refused([](auto& request) { *request.mutable_total() = euros(2749); });
  CHECK(error.reason == "TOTAL_MISMATCH");
  CHECK(error.code == Code::invalid_argument);
  CHECK(error.message ==
        "total.minor_units is 2749; the lines add up to 2750: show the customer the right sum, and "
        "send that");
}

TEST_CASE("a total never overflows, neither by a line nor by their sum") {
  constexpr std::int64_t largest = 9'223'372'036'854'775'807;
  const auto by_line = refused(
      [](auto& request) { *request.mutable_lines(1)->mutable_unit_price() = euros(largest / 2); });
  CHECK(by_line.reason == "TOTAL_OVERFLOW");
  CHECK(by_line.code == Code::out_of_range);
  CHECK(by_line.message.find("with lines[1], ") == 0);
  const auto by_sum = refused([](auto& request) {
    *request.mutable_lines(1) = line("bulb", 1, largest - 1999);
    *request.mutable_total() = euros(largest);
  });
  CHECK(by_sum.reason == "TOTAL_OVERFLOW");
  OrderDesk desk;
  auto request = lamps_and_bulbs();
  *request.mutable_lines(1) = line("bulb", 1, largest - 2000);
  *request.mutable_total() = euros(largest);
  CHECK(desk.place(request)->total().minor_units() == largest);
}

TEST_CASE("an order has one to a hundred lines") {
  CHECK(refused([](auto& request) { request.clear_lines(); }).reason == "LINES_INVALID");
  auto request = lamps_and_bulbs();
  while (request.lines_size() < 100)
    *request.add_lines() = line("free-" + std::to_string(request.lines_size()), 1, 0);
  CHECK(OrderDesk{}.place(request)->lines_size() == 100);
  *request.add_lines() = line("one more", 1, 0);
  const auto refused = OrderDesk{}.place(request);
  CHECK(reason(refused) == "LINES_INVALID");
  CHECK(refused.error().message == "lines has 101 entries; an order has 1 to 100 lines");
}

TEST_CASE("a line has one to a million pieces") {
  for (const std::int64_t quantity : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{1'000'001}}) {
    const auto error =
        refused([&](auto& request) { request.mutable_lines(1)->set_quantity(quantity); });
    CHECK(error.reason == "LINE_QUANTITY_INVALID");
    CHECK(error.message.find("lines[1].quantity is " + std::to_string(quantity)) == 0);
  }
  auto request = lamps_and_bulbs();
  *request.mutable_lines(0) = line("lamp", 1'000'000, 1);
  *request.mutable_total() = euros(1'000'750);
  CHECK(OrderDesk{}.place(request));
}

TEST_CASE("a price may be nothing, and not less") {
  auto gift = lamps_and_bulbs();
  *gift.mutable_lines(1) = line("bulb", 3, 0);
  *gift.mutable_total() = euros(2000);
  CHECK(OrderDesk{}.place(gift));
  const auto error =
      refused([](auto& request) { *request.mutable_lines(1) = line("bulb", 1, -250); });
  CHECK(error.reason == "AMOUNT_NEGATIVE");
  CHECK(error.message ==
        "lines[1].unit_price.minor_units is -250; write how many minor units, 0 or more");
  CHECK(refused([](auto& request) { *request.mutable_total() = euros(-1); }).reason ==
        "AMOUNT_NEGATIVE");
}

TEST_CASE("an order has one currency, of three capital letters") {
  const auto other = refused(
      [](auto& request) { request.mutable_lines(1)->mutable_unit_price()->set_currency("USD"); });
  CHECK(other.reason == "CURRENCIES_DIFFER");
  CHECK(other.message.find("lines[1].unit_price.currency is USD, total.currency is EUR") == 0);
  for (const std::string code : {"", "eur", "EU", "EURO", "E1R"}) {
    const auto error = refused([&](auto& request) { request.mutable_total()->set_currency(code); });
    CHECK(error.reason == "CURRENCY_INVALID");
    CHECK(error.message.find("total.currency is \"" + code + "\"") == 0);
  }
  CHECK(refused([](auto& request) { request.mutable_lines(0)->clear_unit_price(); }).reason ==
        "CURRENCY_INVALID");
  CHECK(refused([](auto& request) { request.clear_total(); }).reason == "CURRENCY_INVALID");
}

TEST_CASE("a SKU has one line, and a name of bounded length") {
  const auto error = refused([](auto& request) { request.mutable_lines(1)->set_sku("lamp"); });
  CHECK(error.reason == "LINE_SKU_REPEATED");
  CHECK(error.message.find("lines[1].sku is ") == 0);
  for (const auto& sku : {std::string{}, std::string(513, 's')})
    CHECK(refused([&](auto& request) { request.mutable_lines(1)->set_sku(sku); }).reason ==
          "LINE_SKU_INVALID");
  auto request = lamps_and_bulbs();
  request.mutable_lines(1)->set_sku(std::string(512, 's'));
  CHECK(OrderDesk{}.place(request));
}

TEST_CASE("texts of an order are bounded") {
  for (const auto& customer : {std::string{}, std::string(201, 'c')})
    CHECK(refused([&](auto& request) { request.set_customer(customer); }).reason ==
          "CUSTOMER_INVALID");
  auto request = lamps_and_bulbs();
  request.set_customer(std::string(200, 'c'));
  OrderDesk desk;
  REQUIRE(desk.place(request));
  CHECK(reason(desk.cancel(std::string(501, 'r'))) == "CANCEL_REASON_TOO_LONG");
  CHECK(desk.get()->status() == v1::Order::PLACED);
  CHECK(desk.cancel(std::string(500, 'r')));
}

TEST_CASE("an order has a name that can reserve goods, too") {
  CHECK(OrderDesk{std::string(64, 'a')}.place());
  CHECK(reason(OrderDesk{std::string(65, 'a')}.place()) == "ORDER_ID_INVALID");
}
