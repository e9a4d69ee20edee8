#include <sys/resource.h>

#include "tests/runtime/platform/network_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

TEST_CASE("a thousand connections are served at once") {
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  REQUIRE(limit.rlim_max > 2'200);

  constexpr std::size_t connections = 1'000;
  constexpr std::size_t rounds = 5;
  Served served{2, [](Handler& handler) {
                  handler.data = [&handler](std::string_view bytes) {
                    handler.stream->write(std::string{bytes});
                  };
                }};
  std::vector<std::shared_ptr<Handler>> clients;
  for (std::size_t i = 0; i < connections; ++i) clients.push_back(std::make_shared<Handler>());
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t connected = 0;
  for (const auto& client : clients)
    served.network->connect(served.address, 1h,
                            [&, client](auto stream) -> std::shared_ptr<StreamHandler> {
                              if (!stream) std::abort();
                              client->stream = *stream;
                              const std::lock_guard lock{mutex};
                              ++connected;
                              changed.notify_all();
                              return client;
                            });
  {
    std::unique_lock lock{mutex};
    changed.wait(lock, [&] { return connected == connections; });
  }
  std::size_t bytes = 0;
  for (std::size_t round = 0; round < rounds; ++round) {
    const auto text = std::to_string(round) + " is the round;";
    bytes += text.size();
    for (const auto& client : clients) client->stream->write(text);
    for (const auto& client : clients) REQUIRE(client->wait_for_bytes(bytes).size() == bytes);
  }
  for (const auto& client : clients) client->stream->close();
  for (const auto& client : clients) CHECK(client->wait_until_closed());
  for (std::size_t i = 0; i < connections; ++i)
    CHECK(served.wait_for_stream(i)->wait_until_closed());
  for (const auto& client : clients) client->stream.reset();
}
