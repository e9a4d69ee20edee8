// Shoppers who receive, reserve, commit and release goods of a few SKUs, each under orders of its
// own, and rivals who fight for the same orders; reservations run out while the node crashes.
#include <map>

#include "runtime/rehearsal/marks.hpp"
#include "simulations/models/inventory_model.hpp"
#include "simulations/rehearsal/rehearsal.hpp"

namespace troupe::simulations {
namespace {

using namespace std::chrono_literals;
using shop::InventoryRef;

// Some need escapes in a path. Rivals are at the last one.
const std::vector<std::string>& skus() {
  static const std::vector<std::string> names{"bolt", "nut & washer", "50%/m:8", "sk\xc3\xa5p",
                                              "contested"};
  return names;
}

shop::ReserveRequest a_reservation(Client& client, const std::string& order) {
  shop::ReserveRequest request;
  request.set_order_id(order);
  // Now and then a wrong one.
  request.set_quantity(client.one_in(50) ? 0 : static_cast<std::int64_t>(client.between(1, 400)));
  // A third of them outlasts the run.
  if (client.one_in(3)) {
    request.mutable_hold_for()->set_seconds(600);
  } else {
    const auto ms = client.between(1, client.one_in(2) ? 200 : 5000);
    request.mutable_hold_for()->set_seconds(static_cast<std::int64_t>(ms / 1000));
    request.mutable_hold_for()->set_nanos(static_cast<std::int32_t>(ms % 1000 * 1'000'000));
  }
  return request;
}

// Reserves, and then asks as a caller who is not sure what became of it, or is mistaken.
Task<void> reserve(Client& client, const std::string& sku, const std::string& order) {
  auto request = a_reservation(client, order);
  const auto answer = co_await client.call(InventoryRef{sku}.Reserve(request));
  if (client.one_in(4)) co_await client.call(InventoryRef{sku}.Reserve(request));
  if (!answer.ok() || !client.one_in(8)) co_return;
  co_await client.wait(client.between(0ms, client.one_in(4) ? 15s : 500ms));
  request.set_quantity(request.quantity() + 1);
  co_await client.call(InventoryRef{sku}.Reserve(request));
}

Task<void> receive(Client& client, const std::string& sku) {
  shop::ReceiveRequest request;
  request.set_quantity(client.one_in(50) ? -1 : static_cast<std::int64_t>(client.between(1, 1000)));
  const auto answer = co_await client.call(InventoryRef{sku}.Receive(request));
  if (!answer.ok()) co_return;
  if (client.one_in(8)) {
    request.set_quantity(request.quantity() + 1);
    const actors::CallBase other = InventoryRef{sku}.Receive(request);
    co_await client.misuse(other);
  }
  if (client.one_in(8)) {
    co_await client.wait(client.between(0ms, client.one_in(3) ? 15s : 500ms));
    co_await client.repeat();
  }
}

Task<void> step(Client& client, const std::string& sku, const std::string& order) {
  const auto what = client.between(1, 100);
  if (what <= 20) {
    co_await receive(client, sku);
  } else if (what <= 60) {
    co_await reserve(client, sku, order);
  } else if (what <= 75) {
    shop::CommitRequest request;
    request.set_order_id(order);
    co_await client.call(InventoryRef{sku}.Commit(request));
  } else if (what <= 85) {
    shop::ReleaseRequest request;
    request.set_order_id(order);
    co_await client.call(InventoryRef{sku}.Release(request));
  } else {
    co_await client.call(InventoryRef{sku}.Get());
  }
}

Script shopper(Client& client) {
  const auto pace = client.between(5ms, 150ms);
  while (client.running()) {
    const auto& sku = skus()[client.between(0, skus().size() - 2)];
    co_await step(client, sku, client.name() + '/' + std::to_string(client.between(1, 3)));
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

Script rival(Client& client) {
  const auto pace = client.between(5ms, 150ms);
  while (client.running()) {
    co_await step(client, skus().back(), "order " + std::to_string(client.between(1, 3)));
    co_await client.wait(client.between(0ms, 2 * pace));
  }
}

bool adds_up(const shop::Stock& stock) {
  return stock.on_hand() >= 0 && stock.available() >= 0 && stock.reserved() >= 0 &&
         stock.available() + stock.reserved() == stock.on_hand();
}

// What a SKU must have, by what its shoppers were told.
struct Books {
  struct Order {
    std::int64_t quantity = 0;
    std::int64_t ends_ms = 0;
  };
  bool sure = true;  // each command's outcome is known
  std::int64_t on_hand = 0;
  std::map<std::string, Order> orders;
};

template <class Message>
Message parsed(const std::string& bytes) {
  Message message;
  check(message.ParseFromString(bytes), "a message of the history does not parse");
  return message;
}

// An order belongs to one client, which does one thing after another.
Books books_of(const History& history, const std::string& sku) {
  Books books;
  for (const auto& operation : history.all()) {
    if (operation.key != sku || operation.read_only()) continue;
    if (operation.open()) books.sure = false;
    if (operation.outcome != Operation::Outcome::success) continue;
    const auto& method = operation.service->methods[operation.method].name;
    if (method == "Receive") {
      books.on_hand += parsed<shop::ReceiveRequest>(operation.request).quantity();
    } else if (method == "Reserve") {
      const auto reply = parsed<shop::Reservation>(operation.reply);
      books.orders[reply.order_id()] = {
          reply.quantity(),
          google::protobuf::util::TimeUtil::TimestampToMilliseconds(reply.expires_at())};
    } else if (method == "Commit") {
      const auto order = parsed<shop::CommitRequest>(operation.request).order_id();
      books.on_hand -= books.orders[order].quantity;
      books.orders.erase(order);
    } else {
      books.orders.erase(parsed<shop::ReleaseRequest>(operation.request).order_id());
    }
  }
  return books;
}

Script books_agree(Reading& read) {
  for (const auto& sku : skus()) {
    const auto now = co_await read.call(InventoryRef{sku}.Get());
    read.expect(now.ok(), sku + " cannot be read");
    if (!now.ok()) co_return;
    if (sku == skus().back()) continue;
    const auto books = books_of(read.history(), sku);
    if (!books.sure) continue;
    TROUPE_SOMETIMES("a SKU was counted whose every command had an answer");
    const auto as_of = google::protobuf::util::TimeUtil::TimestampToMilliseconds(now->as_of());
    std::int64_t reserved = 0;
    for (const auto& [id, order] : books.orders)
      if (order.ends_ms > as_of) reserved += order.quantity;
    read.expect(now->on_hand() == books.on_hand, sku + " has " + std::to_string(now->on_hand()) +
                                                     " on hand; received less " + "committed is " +
                                                     std::to_string(books.on_hand));
    read.expect(now->reserved() == reserved, sku + " has " + std::to_string(now->reserved()) +
                                                 " reserved; open reservations " + "are " +
                                                 std::to_string(reserved));
  }
}

SIMULATION(stock, "goods are reserved, run out and leave, and are never sold twice") {
  sim.faults(Faults::everything());
  sim.duration(30s);
  sim.model<InventoryModel>("commerce.v1.Inventory");
  sim.clients(6, shopper);
  sim.clients(2, rival);
  sim.always("no stock is below zero, and its parts add up", adds_up);
  sim.always("no stock is below zero with a new reservation",
             [](const shop::Reservation& made) { return adds_up(made.stock()); });
  sim.finally("received less committed is on hand, open reservations are reserved", books_agree);
}

}  // namespace
}  // namespace troupe::simulations
