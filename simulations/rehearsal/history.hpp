// What clients did and what they were told: the only thing that the checks of a run believe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "actors/service.hpp"
#include "runtime/result.hpp"
#include "runtime/time.hpp"

namespace troupe::simulations {

// Where a reply stands, as the header Troupe-Position says: docs/operations.md.
struct Position {
  std::uint32_t shard = 0;
  std::uint64_t index = 0;

  // "banking.v1.Accounts/2@1234"; the service must be this one. Nothing: it is not that.
  static std::optional<Position> parse(std::string_view text, std::string_view service);
  friend bool operator==(const Position&, const Position&) = default;
};

struct Operation {
  enum class Outcome : std::uint8_t {
    open,      // no end yet, and at the end of the run none at all
    success,   // `reply` is what the service replied
    refused,   // `reason` is why; it had no effect
    unknown,   // it may have taken effect once, at any time since it began, or never
    harmless,  // an error that says nothing of the state; it had no effect
  };

  std::uint64_t number = 0;  // from 1, in the order in which they began
  std::string client;        // "client 3"
  const actors::ServiceType* service = nullptr;
  std::uint32_t method = 0;
  std::string key;
  std::string request;  // serialised
  std::string header;   // its Idempotency-Key, as it was sent; empty: none
  Duration invoked{};   // since the world began
  Duration returned = Duration::max();
  Duration settled = Duration::max();  // of an unknown one: it takes no effect after this
  Outcome outcome = Outcome::open;
  unsigned attempts = 0;
  std::string reply;   // serialised deterministically
  std::string reason;  // of a refusal, or the last thing that was heard of it
  struct Heard {
    Duration at{};
    std::string reason;
  };
  std::vector<Heard> heard;  // what attempts got that were not the end
  std::optional<Position> position;
  bool replayed = false;  // the position is that of its effect or a later one

  bool read_only() const { return service->methods[method].read_only; }
  bool open() const { return outcome == Outcome::open || outcome == Outcome::unknown; }

  // "#17 client 3 Deposit(bob) 12.500s-12.504s"
  std::string text() const;
};

class History {
 public:
  Operation& begin(const actors::ServiceType& service, std::uint32_t method) {
    auto& operation = operations_.emplace_back();
    operation.number = operations_.size();
    operation.service = &service;
    operation.method = method;
    return operation;
  }

  const std::deque<Operation>& all() const { return operations_; }

  // What was known at that time: later operations are left out, and those under way are open.
  History until(Duration time) const;

  // The same with each operation changed as `edit` does.
  History edited(const std::function<void(Operation&)>& edit) const;

  // Every entity that was called, with its operations in the order in which they began.
  using Entity = std::pair<std::string, std::string>;  // service, key
  std::map<Entity, std::vector<const Operation*>> by_entity() const;

 private:
  std::deque<Operation> operations_;
};

// "12.500s"
std::string seconds_text(Duration time);

// The message as one short line, for reports.
std::string describe_message(const std::string& type, const std::string& bytes);
std::string describe_request(const Operation& operation);
std::string describe_reply(const Operation& operation);

}  // namespace troupe::simulations
