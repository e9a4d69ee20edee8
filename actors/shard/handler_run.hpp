// What the shard gives a handler while it runs (shard time and pages of history), and tells of it.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "actors/shard/file_reads.hpp"
#include "actors/shard/shard.hpp"

namespace troupe::actors {

// A page of an entity's history that was fetched for the handler that asked for it.
struct Shard::Page : PageWanted {
  std::vector<RawEvent> events;

  bool is(const PageWanted& wanted) const {
    return order == wanted.order && from == wanted.from && limit == wanted.limit;
  }
};

// Null: it was not fetched.
template <class Pages>
const std::vector<RawEvent>* find_page(const Pages& pages, const PageWanted& wanted) {
  for (const auto& page : pages)
    if (page.is(wanted)) return &page.events;
  return nullptr;
}

// Pages that one handler may ask for; each costs a run from its beginning.
inline constexpr std::size_t pages_max = 100;

inline Error history_too_long(const MethodType& method) {
  return resource_exhausted("HISTORY_TOO_LONG", "the handler of " + method.name +
                                                    " asked for more than " +
                                                    std::to_string(pages_max) +
                                                    " pages; hand a page token to the caller");
}

// Unwinds a handler that asked for a page of its history: the page is fetched and the handler runs
// again, with it. Handlers are const and their effects are dropped, so that running twice is the
// same as running once.
struct PageNeeded {
  PageWanted wanted;
};

class Context final : public HandlerContext {
 public:
  using Find = std::function<const std::vector<RawEvent>*(const PageWanted&)>;
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
    const PageWanted wanted{order, from, limit};
    if (const auto* events = find_(wanted)) return *events;
    throw PageNeeded{wanted};
  }

 private:
  const std::int64_t time_ms_;
  const OnBehalfOf& on_behalf_of_;
  const std::size_t page_max_;
  const Find find_;
};

// Sets the context for the time of a handler's call, and says that it runs.
class Entered {
 public:
  Entered(Entity& entity, HandlerContext& context, ShardVitals& vitals, std::uint32_t method,
          MonotonicTime now)
      : entity_(entity), vitals_(vitals) {
    entity_.enter(&context);
    vitals_.handler.store(method, std::memory_order_relaxed);
    vitals_.handler_since_ns.store(std::chrono::nanoseconds{now.time_since_epoch()}.count(),
                                   std::memory_order_release);
  }
  ~Entered() {
    vitals_.handler_since_ns.store(0, std::memory_order_relaxed);
    entity_.enter(nullptr);
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;

 private:
  Entity& entity_;
  ShardVitals& vitals_;
};

}  // namespace troupe::actors
