// Shorthand for tests of the commerce context.
#pragma once

#include <google/protobuf/util/time_util.h>

#include <chrono>
#include <cstdint>
#include <string>

#include "actors/testing/entity_harness.hpp"
#include "commerce/v1/inventory.troupe.hpp"

namespace commerce::tests {

using std::chrono::milliseconds;

// The stock of the SKU "lamp", run in memory.
class Warehouse {
 public:
  troupe::Result<v1::Stock> receive(std::int64_t quantity) {
    v1::ReceiveRequest request;
    request.set_quantity(quantity);
    return harness_.call(lamp_.Receive(request));
  }
  troupe::Result<v1::Reservation> reserve(const std::string& order_id, std::int64_t quantity,
                                          milliseconds hold_for = std::chrono::minutes{10}) {
    v1::ReserveRequest request;
    request.set_order_id(order_id);
    request.set_quantity(quantity);
    *request.mutable_hold_for() =
        google::protobuf::util::TimeUtil::MillisecondsToDuration(hold_for.count());
    return reserve(request);
  }
  troupe::Result<v1::Reservation> reserve(const v1::ReserveRequest& request) {
    return harness_.call(lamp_.Reserve(request));
  }
  troupe::Result<v1::Stock> commit(const std::string& order_id) {
    v1::CommitRequest request;
    request.set_order_id(order_id);
    return harness_.call(lamp_.Commit(request));
  }
  troupe::Result<v1::Stock> release(const std::string& order_id) {
    v1::ReleaseRequest request;
    request.set_order_id(order_id);
    return harness_.call(lamp_.Release(request));
  }
  v1::Stock get() { return *harness_.call(lamp_.Get()); }

  troupe::testing::EntityHarness& harness() { return harness_; }
  void pass(milliseconds time) { harness_.advance(time); }

  // The stored event with that number, from 1.
  v1::InventoryEvent event(std::size_t number) {
    v1::InventoryEvent event;
    event.ParseFromString(harness_.events().at(number - 1).event);
    return event;
  }

 private:
  v1::InventoryRef lamp_{"lamp"};
  troupe::testing::EntityHarness harness_{"commerce.v1.Inventory", "lamp"};
};

// The reason of a refusal, or "" if there was none.
template <class T>
std::string reason(const troupe::Result<T>& result) {
  return result ? "" : result.error().reason;
}

inline std::int64_t to_ms(const google::protobuf::Timestamp& time) {
  return google::protobuf::util::TimeUtil::TimestampToMilliseconds(time);
}

}  // namespace commerce::tests
