#include <doctest/doctest.h>

#include <limits>

#include "actors/routes.hpp"
#include "tests/domains/commerce/warehouse.hpp"

using namespace commerce::tests;
namespace v1 = commerce::v1;
using troupe::Code;

constexpr auto most = std::numeric_limits<std::int64_t>::max();

TEST_CASE("a SKU that nothing was received of has a stock of zero") {
  Warehouse warehouse;
  const auto stock = warehouse.get();
  CHECK(stock.sku() == "lamp");
  CHECK(stock.on_hand() == 0);
  CHECK(stock.available() == 0);
  CHECK(reason(warehouse.reserve("A", 1)) == "INSUFFICIENT_STOCK");
  CHECK(warehouse.harness().events().empty());
}

TEST_CASE("what is reserved stays on hand and is not available") {
  Warehouse warehouse;
  CHECK(warehouse.receive(40)->available() == 40);
  const auto reservation = warehouse.reserve("A", 15, milliseconds{2500});
  REQUIRE(reservation);
  CHECK(reservation->order_id() == "A");
  CHECK(reservation->quantity() == 15);
  CHECK(to_ms(reservation->expires_at()) == to_ms(reservation->stock().as_of()) + 2500);
  for (const auto& stock : {reservation->stock(), warehouse.get()}) {
    CHECK(stock.on_hand() == 40);
    CHECK(stock.reserved() == 15);
    CHECK(stock.available() == 25);
    CHECK(stock.reservations() == 1);
  }
}

TEST_CASE("committed goods leave") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 15));
  const auto stock = warehouse.commit("A");
  REQUIRE(stock);
  CHECK(stock->on_hand() == 25);
  CHECK(stock->reserved() == 0);
  CHECK(stock->available() == 25);
  CHECK(warehouse.event(3).committed().quantity() == 15);
}

TEST_CASE("goods leave once") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 15));
  REQUIRE(warehouse.commit("A"));
  const auto again = warehouse.commit("A");
  CHECK(reason(again) == "RESERVATION_NOT_FOUND");
  CHECK(again.error().code == Code::not_found);
  CHECK(warehouse.get().on_hand() == 25);
}

TEST_CASE("a released reservation is available again, and releasing once more changes nothing") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 15));
  CHECK(warehouse.release("A")->available() == 40);
  CHECK(warehouse.release("A")->available() == 40);
  CHECK(warehouse.release("never seen")->available() == 40);
  CHECK(warehouse.harness().events().size() == 3);
  CHECK(reason(warehouse.commit("A")) == "RESERVATION_NOT_FOUND");
}

TEST_CASE("no more is reserved than is available") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 15));
  const auto refused = warehouse.reserve("B", 26);
  CHECK(reason(refused) == "INSUFFICIENT_STOCK");
  CHECK(refused.error().code == Code::failed_precondition);
  CHECK(refused.error().message ==
        "the SKU \"lamp\" has 25 available; reserve at most that, not 26");
  CHECK(reason(warehouse.reserve("B", most)) == "INSUFFICIENT_STOCK");
  CHECK(warehouse.reserve("B", 25)->stock().available() == 0);
  CHECK(reason(warehouse.reserve("C", 1)) == "INSUFFICIENT_STOCK");
}

TEST_CASE("an order that reserves the same again gets the reservation that it has") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  const auto first = warehouse.reserve("A", 40, milliseconds{5000});
  warehouse.pass(milliseconds{1000});
  const auto again = warehouse.reserve("A", 40, milliseconds{9000});
  REQUIRE(again);
  CHECK(to_ms(again->expires_at()) == to_ms(first->expires_at()));
  CHECK(again->stock().reserved() == 40);
  CHECK(warehouse.harness().events().size() == 2);
}

TEST_CASE("an order cannot reserve another quantity beside the one it has") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 10));
  for (const std::int64_t quantity : {9, 11, 41}) {
    const auto refused = warehouse.reserve("A", quantity);
    CHECK(reason(refused) == "RESERVATION_MISMATCH");
    CHECK(refused.error().code == Code::failed_precondition);
  }
  CHECK(warehouse.get().reserved() == 10);
}

TEST_CASE("a reservation ends when its time is over, in reads and in commands") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 40, milliseconds{1000}));
  warehouse.pass(milliseconds{999});
  CHECK(warehouse.get().available() == 0);
  warehouse.pass(milliseconds{1});
  CHECK(warehouse.get().available() == 40);
  CHECK(warehouse.get().reservations() == 0);
  CHECK(warehouse.harness().events().size() == 2);
  CHECK(reason(warehouse.commit("A")) == "RESERVATION_NOT_FOUND");
  CHECK(warehouse.reserve("B", 40)->stock().reservations() == 1);
  REQUIRE(warehouse.event(3).expired().order_ids_size() == 1);
  CHECK(warehouse.event(3).expired().order_ids(0) == "A");
  CHECK(warehouse.event(4).reserved().order_id() == "B");
}

TEST_CASE("an order whose reservation has expired may reserve anew, another quantity too") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 40, milliseconds{1000}));
  warehouse.pass(milliseconds{1000});
  CHECK(warehouse.reserve("A", 39)->stock().available() == 1);
}

TEST_CASE("a refused command leaves expired reservations to the next one") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 40, milliseconds{1}));
  warehouse.pass(milliseconds{1});
  CHECK(reason(warehouse.reserve("B", 41)) == "INSUFFICIENT_STOCK");
  CHECK(warehouse.harness().events().size() == 2);
  REQUIRE(warehouse.receive(1));
  CHECK(warehouse.event(3).has_expired());
}

TEST_CASE("quantities are positive") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(1));
  for (const std::int64_t quantity : {std::int64_t{0}, std::int64_t{-1}, -most - 1}) {
    CHECK(reason(warehouse.receive(quantity)) == "QUANTITY_NOT_POSITIVE");
    CHECK(reason(warehouse.reserve("A", quantity)) == "QUANTITY_NOT_POSITIVE");
  }
  CHECK(warehouse.get().on_hand() == 1);
}

TEST_CASE("a stock never overflows") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(most));
  const auto refused = warehouse.receive(1);
  CHECK(reason(refused) == "STOCK_OVERFLOW");
  CHECK(refused.error().code == Code::out_of_range);
  CHECK(reason(warehouse.receive(most)) == "STOCK_OVERFLOW");
  REQUIRE(warehouse.reserve("A", most));
  CHECK(reason(warehouse.receive(1)) == "STOCK_OVERFLOW");  // what is reserved is still on hand
  REQUIRE(warehouse.commit("A"));
  CHECK(warehouse.receive(most)->available() == most);
}

TEST_CASE("an order is named, and not endlessly") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(1));
  for (const auto& order_id : {std::string{}, std::string(65, 'a')}) {
    CHECK(reason(warehouse.reserve(order_id, 1)) == "ORDER_ID_INVALID");
    CHECK(reason(warehouse.release(order_id)) == "ORDER_ID_INVALID");
    CHECK(reason(warehouse.commit(order_id)) == "RESERVATION_NOT_FOUND");
  }
  CHECK(warehouse.reserve(std::string(64, 'a'), 1));
}

TEST_CASE("goods are held for a millisecond to 30 days") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(10));
  v1::ReserveRequest request;
  request.set_order_id("A");
  request.set_quantity(1);
  CHECK(reason(warehouse.reserve(request)) == "HOLD_INVALID");
  const auto held_for = [&](std::int64_t seconds, std::int32_t nanos) {
    request.mutable_hold_for()->set_seconds(seconds);
    request.mutable_hold_for()->set_nanos(nanos);
    return reason(warehouse.reserve(request));
  };
  constexpr std::int64_t month = 30 * 24 * 60 * 60;
  CHECK(held_for(0, 0) == "HOLD_INVALID");
  CHECK(held_for(0, 999'999) == "HOLD_INVALID");
  CHECK(held_for(-1, 0) == "HOLD_INVALID");
  CHECK(held_for(1, -1) == "HOLD_INVALID");
  CHECK(held_for(0, 2'000'000'000) == "HOLD_INVALID");
  CHECK(held_for(month, 1'000'000) == "HOLD_INVALID");
  CHECK(held_for(most, 999'999'999) == "HOLD_INVALID");
  CHECK(held_for(-most - 1, 0) == "HOLD_INVALID");
  CHECK(held_for(0, 1'000'000) == "");
  request.set_order_id("B");
  CHECK(held_for(month, 0) == "");
}

TEST_CASE("the reservations of a SKU are bounded, and an end of one makes room") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(1000));
  for (int i = 0; i < 256; ++i)
    REQUIRE(warehouse.reserve("order-" + std::to_string(i), 1, milliseconds{1000 + i}));
  const auto refused = warehouse.reserve("more", 1);
  CHECK(reason(refused) == "RESERVATIONS_FULL");
  CHECK(refused.error().code == Code::resource_exhausted);
  CHECK(warehouse.reserve("order-7", 1));  // it has one already
  REQUIRE(warehouse.commit("order-7"));
  CHECK(warehouse.reserve("more", 1));
  CHECK(reason(warehouse.reserve("even more", 1)) == "RESERVATIONS_FULL");
  warehouse.pass(milliseconds{1000});
  CHECK(warehouse.reserve("even more", 1));
}

TEST_CASE("a stock that was dropped from memory goes on where it was") {
  Warehouse warehouse;
  REQUIRE(warehouse.receive(40));
  REQUIRE(warehouse.reserve("A", 15, milliseconds{1000}));
  warehouse.harness().reload();
  CHECK(warehouse.get().available() == 25);
  warehouse.pass(milliseconds{1000});
  CHECK(warehouse.get().available() == 40);
}

TEST_CASE("the routes of the commerce context do not clash") {
  CHECK(troupe::actors::check_routes(troupe::actors::ServiceRegistry::global()));
}
