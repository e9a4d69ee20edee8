#include <doctest/doctest.h>

#include <stdexcept>
#include <string>
#include <vector>

#include "simulations/rehearsal/script.hpp"

namespace troupe::simulations {
namespace {

struct Trail {
  std::vector<std::string>& steps;
  std::string name;
  ~Trail() { steps.push_back("~" + name); }
};

TEST_CASE("a script runs as far as it can, and goes on when what it waits for comes") {
  std::vector<std::string> steps;
  std::optional<Waiter<int>::Delivery> deliver;
  const auto inner = [&]() -> Task<int> {
    Waiter<int> waiter;
    deliver = waiter.delivery();
    co_return co_await waiter * 2;
  };
  const auto outer = [&]() -> Script {
    steps.push_back("begins");
    steps.push_back(std::to_string(co_await inner()));
  };
  auto script = outer();
  CHECK(steps.empty());  // nothing runs before it is started
  script.start();
  CHECK(steps == std::vector<std::string>{"begins"});
  (*deliver)(21);
  CHECK(script.done());
  CHECK(steps == std::vector<std::string>{"begins", "42"});
  (*deliver)(22);  // too late: harmless
}

TEST_CASE("a script that waits is destroyed with all that it holds, and never goes on") {
  std::vector<std::string> steps;
  std::optional<Waiter<int>::Delivery> deliver;
  const auto inner = [&]() -> Task<int> {
    const Trail trail{steps, "inner"};
    Waiter<int> waiter;
    deliver = waiter.delivery();
    co_return co_await waiter;
  };
  const auto outer = [&]() -> Script {
    const Trail trail{steps, "outer"};
    co_await inner();
    steps.push_back("went on");
  };
  {
    auto script = outer();
    script.start();
    CHECK_FALSE(deliver->done());
  }
  CHECK(steps == std::vector<std::string>{"~inner", "~outer"});
  CHECK(deliver->done());
  (*deliver)(1);
  CHECK(steps.size() == 2);
}

TEST_CASE("what a script throws reaches whoever awaits it, and at last its owner") {
  const auto inner = []() -> Task<int> {
    throw std::runtime_error{"as the test wants it"};
    co_return 1;
  };
  const auto outer = [&]() -> Script { co_await inner(); };
  auto script = outer();
  script.start();
  REQUIRE(script.done());
  CHECK_THROWS_WITH(script.result(), "as the test wants it");
}

TEST_CASE("a value that is there already is not waited for") {
  int got = 0;
  const auto body = [&]() -> Script {
    Waiter<int> waiter;
    waiter.delivery()(7);
    got = co_await waiter;
  };
  auto script = body();
  script.start();
  CHECK(got == 7);
}

}  // namespace
}  // namespace troupe::simulations
