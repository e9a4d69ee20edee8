#include "simulations/rehearsal/operator.hpp"

#include <utility>

namespace troupe::simulations {

namespace {

using namespace std::chrono_literals;

// As long as `troupe` waits for a node by default.
constexpr Duration answer_max = 5s;

}  // namespace

Operator::Operator(ClientSetting& setting, Tools tools, std::uint64_t number)
    : Client(setting, "operator", number, true), tools_(std::move(tools)), number_(number) {}

Task<Result<std::string>> Operator::ask(std::string node, std::string path) {
  HttpCall call{"GET", std::move(path), ""};
  auto body = co_await exchange(std::move(node), std::move(call));
  co_return body;
}

Task<Result<std::string>> Operator::order(std::string node, std::string path, std::string json) {
  HttpCall call{"POST", std::move(path), std::move(json)};
  auto body = co_await exchange(std::move(node), std::move(call));
  co_return body;
}

runtime::Disk& Operator::disk() {
  return world().outside().disk();
}

Task<void> Operator::stop(std::string node) {
  tools_.retire(node);
  while (!is_gone(node)) co_await wait(20ms);
}

// Each over a connection of its own.
Task<Result<std::string>> Operator::exchange(std::string node, HttpCall call) {
  HttpLink link{world(),
                {tools_.admins.at(node)},
                {world().seed(), Domain::client, 1, number_ + ++exchanges_}};
  auto response = co_await link.exchange(call, "", answer_max);
  if (!response) co_return Result<std::string>{response.error()};
  if (response->status != 200) co_return Result<std::string>{http_error(response->body)};
  co_return Result<std::string>{std::move(response->body)};
}

}  // namespace troupe::simulations
