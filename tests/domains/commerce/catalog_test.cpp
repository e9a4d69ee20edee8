#include <doctest/doctest.h>

#include "tests/domains/commerce/shop.hpp"

using namespace commerce::tests;
namespace v1 = commerce::v1;
using troupe::Code;

namespace {

v1::Money dollars(std::int64_t minor_units) {
  auto money = euros(minor_units);
  money.set_currency("USD");
  return money;
}

}  // namespace

TEST_CASE("a product that is published is on sale as it was described") {
  Shelf shelf;
  const auto product = shelf.publish();
  REQUIRE(product);
  CHECK(product->sku() == "lamp");
  CHECK(product->name() == "Lamp");
  CHECK(product->description() == "It shines.");
  CHECK(product->price().currency() == "EUR");
  CHECK(product->price().minor_units() == 1000);
  CHECK(product->status() == v1::Product::ON_SALE);
  CHECK(shelf.get()->SerializeAsString() == product->SerializeAsString());
}

TEST_CASE("a product that is on sale is not published once more") {
  Shelf shelf;
  REQUIRE(shelf.publish());
  const auto again = shelf.publish();
  CHECK(reason(again) == "PRODUCT_ON_SALE");
  CHECK(again.error().code == Code::already_exists);
}

TEST_CASE("a new price holds from then on, and the same price is no change") {
  Shelf shelf;
  REQUIRE(shelf.publish());
  CHECK(shelf.change_price(euros(1250))->price().minor_units() == 1250);
  CHECK(shelf.get()->price().minor_units() == 1250);
  CHECK(shelf.get()->name() == "Lamp");
  CHECK(shelf.harness().events().size() == 2);
  CHECK(shelf.change_price(euros(1250))->price().minor_units() == 1250);
  CHECK(shelf.harness().events().size() == 2);
  CHECK(shelf.change_price(euros(0))->price().minor_units() == 0);
}

TEST_CASE("the currency of a price does not change") {
  Shelf shelf;
  REQUIRE(shelf.publish());
  const auto refused = shelf.change_price(dollars(1000));
  CHECK(reason(refused) == "PRICE_CURRENCY_MISMATCH");
  CHECK(refused.error().code == Code::failed_precondition);
  CHECK(shelf.get()->price().currency() == "EUR");
}

TEST_CASE("a retired product keeps its price, and comes back when it is published again") {
  Shelf shelf;
  REQUIRE(shelf.publish());
  CHECK(shelf.retire()->status() == v1::Product::RETIRED);
  const auto refused = shelf.change_price(euros(1));
  CHECK(reason(refused) == "PRODUCT_RETIRED");
  CHECK(refused.error().code == Code::failed_precondition);
  CHECK(shelf.get()->price().minor_units() == 1000);
  const auto back = shelf.publish(dollars(700));
  REQUIRE(back);
  CHECK(back->status() == v1::Product::ON_SALE);
  CHECK(back->price().currency() == "USD");
  CHECK(shelf.change_price(dollars(800)));
}

TEST_CASE("retiring once more changes nothing") {
  Shelf shelf;
  REQUIRE(shelf.publish());
  REQUIRE(shelf.retire());
  CHECK(shelf.retire()->status() == v1::Product::RETIRED);
  CHECK(shelf.harness().events().size() == 2);
}

TEST_CASE("a product that was never published is not there") {
  Shelf shelf;
  for (const auto& why :
       {reason(shelf.get()), reason(shelf.retire()), reason(shelf.change_price(euros(1)))})
    CHECK(why == "PRODUCT_NOT_FOUND");
  CHECK(shelf.get().error().code == Code::not_found);
}

TEST_CASE("texts of a product are bounded") {
  Shelf shelf;
  v1::PublishRequest request;
  *request.mutable_price() = euros(1);
  CHECK(reason(shelf.publish(request)) == "PRODUCT_NAME_INVALID");
  request.set_name(std::string(201, 'n'));
  CHECK(reason(shelf.publish(request)) == "PRODUCT_NAME_INVALID");
  request.set_name(std::string(200, 'n'));
  request.set_description(std::string(4001, 'd'));
  CHECK(reason(shelf.publish(request)) == "DESCRIPTION_TOO_LONG");
  request.set_description(std::string(4000, 'd'));
  CHECK(shelf.publish(request));
}

TEST_CASE("a price has a currency, and is not negative") {
  Shelf shelf;
  CHECK(reason(shelf.publish(v1::Money{})) == "CURRENCY_INVALID");
  const auto refused = shelf.publish(euros(-1));
  CHECK(reason(refused) == "AMOUNT_NEGATIVE");
  CHECK(refused.error().message ==
        "price.minor_units is -1; write how many minor units, 0 or more");
  REQUIRE(shelf.publish());
  CHECK(reason(shelf.change_price(euros(-1))) == "AMOUNT_NEGATIVE");
  CHECK(reason(shelf.change_price(v1::Money{})) == "CURRENCY_INVALID");
}

TEST_CASE("a product that was dropped from memory goes on where it was") {
  Shelf shelf;
  REQUIRE(shelf.publish());
  REQUIRE(shelf.change_price(euros(900)));
  shelf.harness().reload();
  CHECK(shelf.get()->price().minor_units() == 900);
  CHECK(shelf.retire()->price().minor_units() == 900);
}
