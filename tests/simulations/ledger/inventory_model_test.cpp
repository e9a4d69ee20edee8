// The model of a stock, where time is known within bounds only.
#include "simulations/models/inventory_model.hpp"

#include <doctest/doctest.h>

#include "tests/simulations/ledger/entity_story.hpp"

namespace troupe::simulations {
namespace {

class Story : public EntityStory<shop::InventoryEntity, InventoryModel> {
 public:
  Story() : EntityStory("bolt") {}

  shop::Stock stock(std::int64_t on_hand, std::int64_t reserved, int reservations,
                    std::int64_t ms) {
    shop::Stock stock;
    stock.set_sku("bolt");
    stock.set_on_hand(on_hand);
    stock.set_reserved(reserved);
    stock.set_available(on_hand - reserved);
    stock.set_reservations(reservations);
    *stock.mutable_as_of() = google::protobuf::util::TimeUtil::MillisecondsToTimestamp(ms);
    return stock;
  }

  void received(std::int64_t quantity, const shop::Stock& reply) {
    shop::ReceiveRequest request;
    request.set_quantity(quantity);
    answered("Receive", request, reply);
  }
  void saw(const shop::Stock& reply) { answered("Get", shop::GetRequest{}, reply); }
  void reserved_without_answer(std::int64_t quantity, int hold_s) {
    shop::ReserveRequest request;
    request.set_order_id("o");
    request.set_quantity(quantity);
    request.mutable_hold_for()->set_seconds(hold_s);
    did("Reserve", request, Operation::Outcome::unknown);
  }
  void commit_refused() {
    shop::CommitRequest request;
    request.set_order_id("o");
    refused("Commit", request, "RESERVATION_NOT_FOUND");
  }
};

TEST_CASE("goods that arrive are there, and no others") {
  Story story;
  story.received(5, story.stock(5, 0, 0, 1000));
  story.saw(story.stock(5, 0, 0, 1001));
  CHECK(story.holds());
  story.saw(story.stock(6, 0, 0, 1002));
  CHECK_FALSE(story.holds());
}

TEST_CASE("a reservation that nobody heard of ends within its bounds, seen or not") {
  Story story;
  story.received(5, story.stock(5, 0, 0, 1000));
  story.reserved_without_answer(2, 1);
  story.received(1, story.stock(6, 2, 1, 1500));  // it ran, between 1000 and 1500
  CHECK(story.holds());
  auto open = story;
  open.saw(open.stock(6, 2, 1, 2200));  // from 2000 to 2500 it may have ended
  CHECK(open.holds());
  auto ended = story;
  ended.saw(ended.stock(6, 0, 0, 2200));
  CHECK(ended.holds());
  auto too_long = story;
  too_long.saw(too_long.stock(6, 2, 1, 2500));
  CHECK_FALSE(too_long.holds());
  auto too_short = story;
  too_short.saw(too_short.stock(6, 0, 0, 1999));
  CHECK_FALSE(too_short.holds());
}

TEST_CASE("commands see a time that never goes back") {
  Story story;
  story.received(5, story.stock(5, 0, 0, 1000));
  story.received(5, story.stock(10, 0, 0, 999));
  CHECK_FALSE(story.holds());
}

TEST_CASE("an order without a reservation is refused") {
  Story story;
  story.received(5, story.stock(5, 0, 0, 1000));
  story.commit_refused();
  CHECK(story.holds());
}

}  // namespace
}  // namespace troupe::simulations
