// What a client makes of answers to keys that it used before, told by a server that says whatever
// the test wants.
#include "simulations/rehearsal/client.hpp"

#include <doctest/doctest.h>

#include <deque>

#include "tests/simulations/rehearsal/told.hpp"

namespace troupe::simulations::testing {
namespace {

std::string http_text(int status, const std::string& body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " As Told\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string balance_of(int cents) {
  return http_text(200, R"({"account":"ann","owner":"Ann","balance":{"currency":"EUR",)"
                        R"("minorUnits":")" +
                            std::to_string(cents) + R"("},"status":"OPEN"})");
}

std::string error_of(int status, const std::string& reason) {
  return http_text(status, R"({"code":"UNKNOWN","reason":")" + reason + R"(","detail":"so told"})");
}

// Answers the first request under a key with a balance of 5 cents, later ones as the test says,
// and in the end always as the last of these.
struct Teller {
  std::deque<std::string> later{balance_of(5)};
  std::map<std::string, int> requests;  // by key

  std::string answer(const std::string& head) {
    const auto begin = head.find("Idempotency-Key: ");
    if (begin == std::string::npos) return error_of(400, "NO_KEY");
    const auto key = head.substr(begin, head.find('\r', begin) - begin);
    if (++requests[key] == 1) return balance_of(5);
    const auto text = later.front();
    if (later.size() > 1) later.pop_front();
    return text;
  }
};

class TellerProcess final : public SimulatedProcess {
 public:
  TellerProcess(runtime::Platform& platform, Teller& teller) {
    auto listener = platform.network().listen(
        {"0.0.0.0", 80}, [&teller](std::shared_ptr<runtime::Stream> stream) {
          return std::make_shared<Session>(std::move(stream), teller);
        });
    REQUIRE(listener);
    listener_ = std::move(*listener);
  }
  void stop() override {}

 private:
  // A client sends its next request when it has an answer, so that bytes are of one request. All
  // of it comes in one segment or two: the body, which nobody reads, ends with a brace.
  class Session final : public runtime::StreamHandler {
   public:
    Session(std::shared_ptr<runtime::Stream> stream, Teller& teller)
        : stream_(std::move(stream)), teller_(teller) {}
    void on_data(std::string_view bytes) override {
      received_ += bytes;
      if (received_.find("\r\n\r\n") == std::string::npos || !received_.ends_with('}')) return;
      stream_->write(teller_.answer(received_));
      received_.clear();
    }
    void on_closed(const Result<void>&) override { stream_.reset(); }

   private:
    std::shared_ptr<runtime::Stream> stream_;
    Teller& teller_;
    std::string received_;
  };

  std::unique_ptr<runtime::Listener> listener_;
};

struct Desk {
  Teller teller;
  World world{{.seed = 1}};
  History history;
  std::vector<std::string> complaints;
  ClientSetting setting{world, history, {{"n1", 80}}};
  Client client{setting, "client 1", 1, true};

  Desk() {
    setting.complain = [this](const std::string& check, const std::string& what) {
      complaints.push_back(check + ": " + what);
    };
    REQUIRE(world.start(world.add("n1", [this](runtime::Platform& platform) {
      return Result<std::unique_ptr<SimulatedProcess>>{
          std::make_unique<TellerProcess>(platform, teller)};
    })));
  }

  void run(Script script) {
    script.start();
    REQUIRE(world.run_until([&] { return script.done(); }, 60s));
    script.result();
  }
  int sent() const {
    int sum = 0;
    for (const auto& [key, count] : teller.requests) sum += count;
    return sum;
  }
};

Script deposits_and_repeats(Client& client) {
  co_await client.perform(deposit(5));
  co_await client.repeat();
}

Script deposits_and_misuses(Client& client, actors::CallBase other) {
  co_await client.perform(deposit(5));
  co_await client.misuse(other);
}

TEST_CASE("a repetition under its key must get the reply that the first one got") {
  Desk desk;
  SUBCASE("it does") {
    desk.run(deposits_and_repeats(desk.client));
    CHECK(desk.complaints.empty());
  }
  SUBCASE("it does once the server is well again") {
    desk.teller.later = {error_of(503, "NOT_NOW"), error_of(503, "NOT_NOW"), balance_of(5)};
    desk.run(deposits_and_repeats(desk.client));
    CHECK(desk.complaints.empty());
    CHECK(desk.sent() == 4);
  }
  SUBCASE("it gets another reply") {
    desk.teller.later = {balance_of(10)};
    desk.run(deposits_and_repeats(desk.client));
    REQUIRE(desk.complaints.size() == 1);
    CHECK(desk.complaints[0].starts_with("reply once: a command that was repeated"));
  }
  SUBCASE("it is refused") {
    desk.teller.later = {error_of(400, "INSUFFICIENT_FUNDS")};
    desk.run(deposits_and_repeats(desk.client));
    CHECK(desk.complaints.size() == 1);
  }
  SUBCASE("its handler ran again, and threw") {
    desk.teller.later = {error_of(500, "HANDLER_FAILED")};
    desk.run(deposits_and_repeats(desk.client));
    CHECK(desk.complaints.size() == 1);
  }
  CHECK(desk.teller.requests.size() == 1);
  CHECK(desk.sent() >= 2);
  CHECK(desk.history.all().size() == 1);
}

TEST_CASE("another request under a used key must be refused for it") {
  Desk desk;
  SUBCASE("it is") {
    desk.teller.later = {error_of(422, "IDEMPOTENCY_KEY_REUSED")};
    desk.run(deposits_and_misuses(desk.client, deposit(6)));
    CHECK(desk.complaints.empty());
  }
  SUBCASE("it gets the reply of the first one") {
    desk.run(deposits_and_misuses(desk.client, deposit(6)));
    REQUIRE(desk.complaints.size() == 1);
    CHECK(desk.complaints[0].starts_with("reply once: another request under a used key"));
  }
  SUBCASE("it is refused for something else") {
    desk.teller.later = {error_of(400, "INSUFFICIENT_FUNDS")};
    desk.run(deposits_and_misuses(desk.client, deposit(6)));
    CHECK(desk.complaints.size() == 1);
  }
  CHECK(desk.sent() == 2);
}

TEST_CASE("without a key that fits, nothing is sent") {
  Desk desk;
  desk.run([](Client& client) -> Script {
    co_await client.repeat();
    co_await client.misuse(deposit(5));
  }(desk.client));
  CHECK(desk.sent() == 0);
  desk.run(deposits_and_misuses(desk.client, deposit(5)));  // the same request
  desk.run([](Client& client) -> Script { co_await client.misuse(withdraw(5)); }(desk.client));
  CHECK(desk.sent() == 1);
  CHECK(desk.complaints.empty());
  desk.setting.running = false;
  desk.run([](Client& client) -> Script { co_await client.repeat(); }(desk.client));
  CHECK(desk.sent() == 1);
}

}  // namespace
}  // namespace troupe::simulations::testing
