// Random commands against an inventory and against the simplest model of one: both agree after
// every step. A failure prints the seed, which repeats it.
#include <doctest/doctest.h>

#include <limits>
#include <map>
#include <random>
#include <set>

#include "tests/domains/commerce/warehouse.hpp"

using namespace commerce::tests;
namespace v1 = commerce::v1;

namespace {

constexpr auto most = std::numeric_limits<std::int64_t>::max();

// Looks at the clock whenever it is asked, and keeps what has expired until then.
struct Model {
  __extension__ typedef __int128 Wide;  // cannot overflow here
  struct Held {
    Wide quantity;
    std::int64_t ends_ms;
  };
  std::int64_t now_ms = 0;
  Wide on_hand = 0;
  std::map<std::string, Held> held;

  Wide reserved() const {
    Wide sum = 0;
    for (const auto& [order, one] : held) sum += one.ends_ms > now_ms ? one.quantity : 0;
    return sum;
  }
  int reservations() const {
    int count = 0;
    for (const auto& [order, one] : held) count += one.ends_ms > now_ms ? 1 : 0;
    return count;
  }
  bool has(const std::string& order) const {
    return held.contains(order) && held.at(order).ends_ms > now_ms;
  }

  std::string receive(std::int64_t quantity) {
    if (quantity <= 0) return "QUANTITY_NOT_POSITIVE";
    if (on_hand + quantity > most) return "STOCK_OVERFLOW";
    on_hand += quantity;
    return "";
  }
  std::string reserve(const std::string& order, std::int64_t quantity, std::int64_t hold_ms) {
    if (quantity <= 0) return "QUANTITY_NOT_POSITIVE";
    if (hold_ms <= 0) return "HOLD_INVALID";
    if (has(order)) return held[order].quantity == quantity ? "" : "RESERVATION_MISMATCH";
    if (reserved() + quantity > on_hand) return "INSUFFICIENT_STOCK";
    if (reservations() == 256) return "RESERVATIONS_FULL";
    held[order] = {quantity, now_ms + hold_ms};
    return "";
  }
  std::string commit(const std::string& order) {
    if (!has(order)) return "RESERVATION_NOT_FOUND";
    on_hand -= held[order].quantity;
    held.erase(order);
    return "";
  }
  std::string release(const std::string& order) {
    held.erase(order);
    return "";
  }
};

class Run {
 public:
  explicit Run(std::uint64_t seed) : random_(seed), orders_(below(10) == 0 ? 600 : 12) {}

  void step() {
    const auto order = "order-" + std::to_string(below(orders_));
    switch (below(12)) {
      case 0:
        return warehouse_.harness().reload();
      case 1: {
        const auto time = static_cast<std::int64_t>(below(4000));
        model_.now_ms += time;
        return warehouse_.pass(milliseconds{time});
      }
      case 2: {
        const auto quantity = amount();
        return agree(model_.receive(quantity), warehouse_.receive(quantity));
      }
      case 3:
      case 4:
        return agree(model_.commit(order), warehouse_.commit(order));
      case 5:
        return agree(model_.release(order), warehouse_.release(order));
      default:
        return reserve(order);
    }
  }

  const std::set<std::string>& reasons() const { return reasons_; }
  bool many() const { return orders_ > 256; }

 private:
  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }

  std::int64_t amount() {
    switch (below(12)) {
      case 0:
        return 0;
      case 1:
        return -static_cast<std::int64_t>(below(100));
      case 2:
        return most / 2 + static_cast<std::int64_t>(below(3));
      default:
        return static_cast<std::int64_t>(below(20)) + 1;
    }
  }

  void reserve(const std::string& order) {
    // The same quantity as before, now and then.
    const auto quantity = model_.has(order) && below(2) == 0
                              ? static_cast<std::int64_t>(model_.held[order].quantity)
                              : amount();
    const auto hold = static_cast<std::int64_t>(below(many() ? 1'000'000 : 10'000));
    const auto expected = model_.reserve(order, quantity, hold);
    const auto reservation = warehouse_.reserve(order, quantity, milliseconds{hold});
    agree(expected, reservation);
    if (!reservation) return;
    CHECK(reservation->order_id() == order);
    CHECK(reservation->quantity() == quantity);
    CHECK(to_ms(reservation->expires_at()) == began_ms_ + model_.held[order].ends_ms);
    CHECK(reservation->stock().SerializeAsString() == warehouse_.get().SerializeAsString());
  }

  template <class T>
  void agree(const std::string& expected, const troupe::Result<T>& reply) {
    CHECK(reason(reply) == expected);
    reasons_.insert(reason(reply));
    const auto stock = warehouse_.get();
    CHECK(stock.on_hand() == static_cast<std::int64_t>(model_.on_hand));
    CHECK(stock.reserved() == static_cast<std::int64_t>(model_.reserved()));
    CHECK(stock.available() == static_cast<std::int64_t>(model_.on_hand - model_.reserved()));
    CHECK(stock.available() >= 0);
    CHECK(stock.reservations() == model_.reservations());
    CHECK(to_ms(stock.as_of()) == began_ms_ + model_.now_ms);
    if constexpr (std::is_same_v<T, v1::Stock>)
      if (reply) CHECK(reply->SerializeAsString() == stock.SerializeAsString());
  }

  std::mt19937_64 random_;
  std::uint64_t orders_;
  Model model_;
  Warehouse warehouse_;
  const std::int64_t began_ms_ = to_ms(warehouse_.get().as_of());
  std::set<std::string> reasons_;
};

}  // namespace

TEST_CASE("an inventory does what its model does, whatever is asked of it") {
  std::set<std::string> reasons;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    CAPTURE(seed);
    Run run{seed};
    for (int step = 0; step < (run.many() ? 1500 : 150); ++step) run.step();
    reasons.insert(run.reasons().begin(), run.reasons().end());
  }
  // The sequences reach every refusal.
  CHECK(reasons == std::set<std::string>{"", "QUANTITY_NOT_POSITIVE", "STOCK_OVERFLOW",
                                         "HOLD_INVALID", "RESERVATION_MISMATCH",
                                         "INSUFFICIENT_STOCK", "RESERVATIONS_FULL",
                                         "RESERVATION_NOT_FOUND"});
}
