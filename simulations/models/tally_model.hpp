// What a tally of the clumsy service does: what throws does nothing.
#pragma once

#include <string>

#include "clumsy/v1/tallies.troupe.hpp"
#include "simulations/rehearsal/model.hpp"

namespace troupe::simulations {

namespace clumsy = ::clumsy::v1;

class TallyModel final : public EntityModel<TallyModel> {
 public:
  static void methods(Methods& on) {
    on("Add", &TallyModel::add);
    on("Get", &TallyModel::get);
  }

  std::string state() const override {
    return std::to_string(sum_) + ' ' + std::to_string(additions_);
  }

 private:
  Result<clumsy::Tally> add(const clumsy::AddRequest& request) {
    if (request.mishap() != clumsy::AddRequest::NONE) return refusal("HANDLER_FAILED");
    sum_ += request.amount();
    ++additions_;
    return view();
  }
  Result<clumsy::Tally> get(const clumsy::GetRequest&) { return view(); }

  clumsy::Tally view() const {
    clumsy::Tally tally;
    tally.set_tally(key());
    tally.set_sum(sum_);
    tally.set_additions(additions_);
    return tally;
  }

  std::int64_t sum_ = 0;
  std::int64_t additions_ = 0;
};

}  // namespace troupe::simulations
