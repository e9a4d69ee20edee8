// Who gets in: calls from clients that a node takes on, so many that those it has are answered in
// time (concurrency_limit.hpp). What is over the limit is refused before anything is done for it:
// RESOURCE_EXHAUSTED / ADMISSION_LIMIT, which over HTTP is 429 with Retry-After. It has not run.
//
// Each service has a limit for its commands and one for its reads, which take another time and go
// another way. One object for all the doors of a node; it may outlive them. Calls of other nodes
// and of other services do not come by here: their number follows from those that did.
//
// Metrics, with the labels service and kind (`commands`, `reads`): troupe_admission_limit,
// troupe_admission_in_flight, troupe_admission_refused_total.
//
// Any thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "actors/request.hpp"
#include "actors/service.hpp"
#include "cluster/gateway/concurrency_limit.hpp"
#include "runtime/platform/platform.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

class Admission {
  struct Door;

 public:
  Admission() = default;  // lets every call in
  // `settings`: of a service, by its full name. Platform and services outlive the object and every
  // ticket.
  Admission(runtime::Platform& platform, const std::vector<const actors::ServiceType*>& services,
            const std::function<config::Admission(const std::string&)>& settings);
  ~Admission();

  // Settings that hold from now on; nothing happens if there is no such service.
  void configure(const std::string& service, const config::Admission& settings);

  // A call that was let in. Exactly one of its copies is told how the call ended, once.
  class Ticket {
   public:
    Ticket() = default;  // of a call that is not counted
    void answered(const Result<actors::Reply>& reply) const;
    void dropped() const;  // nothing was asked of the service

   private:
    friend class Admission;
    std::shared_ptr<Door> door_;
    ConcurrencyLimit::Begun begun_;
  };

  // Services that it was not made with are not counted.
  Result<Ticket> enter(const actors::ServiceType& service, std::uint32_t method);

 private:
  struct Doors {
    const actors::ServiceType* service;
    std::shared_ptr<Door> commands;
    std::shared_ptr<Door> reads;
  };

  std::vector<Doors> doors_;  // never changes
};

}  // namespace troupe::cluster
