#include "actors/service.hpp"

#include <doctest/doctest.h>

#include "actors/entity.hpp"

using namespace troupe::actors;

TEST_CASE("a service is found by its name, and the list is sorted") {
  ServiceType first;
  first.name = "a.v1.A";
  ServiceType second;
  second.name = "b.v1.B";
  ServiceRegistry registry;
  registry.add({&second, {}});
  registry.add({&first, {}});
  REQUIRE(registry.all().size() == 2);
  CHECK(registry.all()[0].type == &first);
  REQUIRE(registry.find("b.v1.B") != nullptr);
  CHECK(registry.find("b.v1.B")->type == &second);
  CHECK(registry.find("b.v1") == nullptr);
  CHECK(registry.find("c") == nullptr);
  CHECK(registry.find("") == nullptr);
}

TEST_CASE("a method is found by its name") {
  ServiceType type;
  type.methods = {{"Open", false, false, nullptr}, {"Get", true, false, nullptr}};
  CHECK(type.find("Open") == 0);
  CHECK(type.find("Get") == 1);
  CHECK(type.find("get") == type.methods.size());
}
