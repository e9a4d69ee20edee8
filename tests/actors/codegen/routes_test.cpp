#include "actors/routes.hpp"

#include <doctest/doctest.h>

#include "banking/v1/accounts.troupe.hpp"
#include "lending/v1/loans.troupe.hpp"
#include "shapes/v1/odd.troupe.hpp"

using troupe::actors::check_routes;
using troupe::actors::ServiceRegistry;

TEST_CASE("services whose routes differ, or that have none, may stand side by side") {
  ServiceRegistry registry;
  CHECK(check_routes(registry));
  registry.add({&banking::v1::AccountsEntity::service_type(), {}});
  registry.add({&shapes::odd::v1::CratesEntity::service_type(), {}});
  CHECK(check_routes(registry));
}

TEST_CASE("routes of two contracts that match the same path are named") {
  ServiceRegistry registry;
  registry.add({&lending::v1::LoansEntity::service_type(), {}});
  registry.add({&banking::v1::AccountsEntity::service_type(), {}});
  const auto checked = check_routes(registry);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().reason == "ROUTES_CLASH");
  CHECK(checked.error().message ==
        "these HTTP routes match a common path; change one of each pair:\n"
        "  GET /v1/accounts/{account} (banking.v1.Accounts.Get) and "
        "GET /v1/{loan=accounts/*} (lending.v1.Loans.Get)");
}
