// What the shard gives a handler while it runs: shard time and pages of history.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "actors/shard/shard.hpp"

namespace troupe::actors {

// A page of an entity's history that was fetched for the handler that asked for it.
struct Shard::Page {
  HistoryOrder order = HistoryOrder::oldest_first;
  std::uint64_t from = 0;
  std::size_t limit = 0;
  std::vector<RawEvent> events;

  bool is(HistoryOrder an_order, std::uint64_t a_from, std::size_t a_limit) const {
    return order == an_order && from == a_from && limit == a_limit;
  }
};

// Pages that one handler may ask for; each costs a run from its beginning.
inline constexpr std::size_t pages_max = 100;

// Unwinds a handler that asked for a page of its history: the page is fetched and the handler runs
// again, with it. Handlers are const and their effects are dropped, so that running twice is the
// same as running once.
struct PageNeeded {
  HistoryOrder order;
  std::uint64_t from;
  std::size_t limit;
};

class Context final : public HandlerContext {
 public:
  using Find =
      std::function<const std::vector<RawEvent>*(HistoryOrder, std::uint64_t, std::size_t)>;
  Context(std::int64_t time_ms, const OnBehalfOf& on_behalf_of, std::size_t page_max, Find find)
      : time_ms_(time_ms),
        on_behalf_of_(on_behalf_of),
        page_max_(page_max),
        find_(std::move(find)) {}
  WallTime now() const override { return WallTime{std::chrono::milliseconds{time_ms_}}; }
  const OnBehalfOf& on_behalf_of() const override { return on_behalf_of_; }
  std::size_t history_page_max() const override { return page_max_; }
  std::vector<RawEvent> history(HistoryOrder order, std::uint64_t from,
                                std::size_t limit) override {
    if (const auto* events = find_(order, from, limit)) return *events;
    throw PageNeeded{order, from, limit};
  }

 private:
  const std::int64_t time_ms_;
  const OnBehalfOf& on_behalf_of_;
  const std::size_t page_max_;
  const Find find_;
};

// Sets the context for the time of a handler's call.
class Entered {
 public:
  Entered(Entity& entity, HandlerContext& context) : entity_(entity) { entity_.enter(&context); }
  ~Entered() { entity_.enter(nullptr); }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Entity& entity_;
};

}  // namespace troupe::actors
