// Handlers that throw now and then, although the author's code does not: a decorator of services.
//
//   HandlerFaults faults{seed};
//   const auto services = with_handler_faults(actors::ServiceRegistry::global(), faults);
//   ... start nodes with `services` ...
//   faults.set("banking.v1.Accounts", 10'000);  // one call in a hundred throws from now on
//
// Half of them throw before the handler runs, half after it returned: its events are lost, and what
// it did to the state is the shard's to take back, as for a handler that throws itself.
//
// Entities can also fail to be made: no shard survives a constructor that throws.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "actors/service.hpp"
#include "simulations/world/random.hpp"

namespace troupe::simulations {

class HandlerFaults {
 public:
  explicit HandlerFaults(std::uint64_t seed)
      : random_(seed, Domain::handler, 0, 0), random_making_(seed, Domain::handler, 0, 1) {}

  // Of a million calls of a service's handlers, reads too, so many throw; 0: none.
  void set(const std::string& service, std::uint32_t millionths);
  // Of a million entities of a service that are made, so many throw in their constructor.
  void set_making(const std::string& service, std::uint32_t millionths);
  void clear() {
    chances_.clear();
    making_.clear();
  }
  std::uint64_t thrown() const { return thrown_; }
  // Entities that could not be made; each ended a shard.
  std::uint64_t not_made() const { return not_made_; }

  // --- for the decorated entities ---------------------------------------------------------------
  enum class Fate : std::uint8_t { runs, throws_before, throws_after };
  Fate draw(std::string_view service);
  bool draw_making(std::string_view service);  // false: it throws

 private:
  using Chances = std::map<std::string, std::uint32_t, std::less<>>;

  RandomStream random_;
  RandomStream random_making_;
  Chances chances_;
  Chances making_;
  std::uint64_t thrown_ = 0;
  std::uint64_t not_made_ = 0;
};

// The same services, made to throw as `faults` says, which outlives all their entities.
actors::ServiceRegistry with_handler_faults(const actors::ServiceRegistry& services,
                                            HandlerFaults& faults);

}  // namespace troupe::simulations
