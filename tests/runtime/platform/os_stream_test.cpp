#include <fcntl.h>

#include "tests/runtime/platform/network_rig.hpp"

using namespace troupe;
using namespace troupe::runtime;
using namespace troupe::tests;

namespace {

void echo(Handler& handler) {
  handler.data = [&handler](std::string_view bytes) { handler.stream->write(std::string{bytes}); };
}

// Sends until the system takes no more, and says how much that was.
std::size_t send_until_refused(BareSocket& peer, const std::string& bytes) {
  REQUIRE(::fcntl(peer.number(), F_SETFL, O_NONBLOCK) == 0);
  std::size_t sent = 0;
  while (sent < bytes.size()) {
    const auto count =
        ::send(peer.number(), bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (count < 0) break;
    sent += static_cast<std::size_t>(count);
  }
  REQUIRE(::fcntl(peer.number(), F_SETFL, 0) == 0);
  return sent;
}

}  // namespace

TEST_CASE("bytes go both ways") {
  Served served{1, echo};
  const auto client = *connect(*served.network, served.address);
  CHECK(client->stream->remote() == served.address);
  client->stream->write("hello");
  CHECK(client->wait_for_bytes(5) == "hello");
  const auto server = served.wait_for_stream();
  CHECK(server->stream->remote().host == "127.0.0.1");
  server->stream->write("and back");
  CHECK(client->wait_for_bytes(13) == "helloand back");
  client->wait_until_drained();
  CHECK(client->stream->unsent() == 0);
  client->stream->close();
  CHECK(server->wait_until_closed());
  CHECK(client->wait_until_closed());
}

TEST_CASE("a large answer reaches a peer that reads late, and unsent() says what waits") {
  Served served;
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  const auto bytes = pattern(32 << 20);
  stream->stream->write(bytes);
  stream->stream->write("end");
  // Loopback buffers hold a few MiB at most.
  CHECK(stream->stream->unsent() > 8 << 20);
  const auto got = peer.receive(bytes.size() + 3);
  CHECK(got == bytes + "end");
  stream->wait_until_drained();
  CHECK(stream->stream->unsent() == 0);
}

TEST_CASE("many small writes and one large one keep their order") {
  Served served;
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  std::string expected;
  const auto large = pattern(3 << 20);
  for (int i = 0; i < 20'000; ++i) {
    auto piece = i == 10'000 ? large : std::to_string(i) + ",";
    expected += piece;
    stream->stream->write(std::move(piece));
    stream->stream->write("");
  }
  stream->stream->close();
  CHECK(peer.receive_all() == expected);
  CHECK(stream->wait_until_closed());
}

TEST_CASE("writes from many threads come whole and in each thread's order") {
  Served served;
  const auto client = *connect(*served.network, served.address);
  const auto server = served.wait_for_stream();
  constexpr int writers = 8;
  constexpr int writes = 5'000;
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      for (int i = 0; i < writes; ++i) {
        std::string record(8, static_cast<char>('a' + w));
        for (int d = 7, left = i; d > 0; --d, left /= 10)
          record[static_cast<std::size_t>(d)] = static_cast<char>('0' + left % 10);
        client->stream->write(std::move(record));
      }
    });
  for (auto& thread : threads) thread.join();
  const auto bytes = server->wait_for_bytes(writers * writes * 8);
  REQUIRE(bytes.size() == writers * writes * 8);
  std::vector<int> next(writers, 0);
  for (std::size_t at = 0; at < bytes.size(); at += 8) {
    const auto writer = static_cast<std::size_t>(bytes[at] - 'a');
    REQUIRE(writer < writers);
    REQUIRE(std::stoi(bytes.substr(at + 1, 7)) == next[writer]++);
  }
}

TEST_CASE("a paused stream pushes its peer back, and nothing is lost when it resumes") {
  Served served{1, [](Handler& handler) { handler.stream->pause_reading(); }};
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  const auto bytes = pattern(64 << 20);
  const auto sent = send_until_refused(peer, bytes);
  CHECK(sent < bytes.size());
  CHECK(stream->received().empty());
  stream->stream->resume_reading();
  std::thread rest{[&] { peer.send(std::string_view{bytes}.substr(sent)); }};
  CHECK(stream->wait_for_bytes(bytes.size()) == bytes);
  rest.join();
}

TEST_CASE("a handler may pause in every callback and be resumed from elsewhere") {
  Event<> done;
  Served served{1, [](Handler& handler) {
                  handler.data = [&handler](std::string_view) { handler.stream->pause_reading(); };
                }};
  BareSocket peer{served.address};
  const auto stream = served.wait_for_stream();
  const auto bytes = pattern(4 << 20);
  std::thread resumer{[&] {
    while (!done.is_set()) {
      stream->stream->resume_reading();
      std::this_thread::yield();
    }
  }};
  peer.send(bytes);
  CHECK(stream->wait_for_bytes(bytes.size()) == bytes);
  done.set();
  resumer.join();
}

TEST_CASE("callbacks never run inside a call of the owner") {
  std::atomic<bool> calling = false;
  std::atomic<int> nested = 0;
  Served served{1, [&](Handler& handler) {
                  const auto watch = [&] { nested += calling ? 1 : 0; };
                  handler.drained = watch;
                  handler.closing = watch;
                  handler.data = [&, watch](std::string_view) {
                    watch();
                    calling = true;
                    handler.stream->write("x");
                    handler.stream->pause_reading();
                    handler.stream->resume_reading();
                    handler.stream->expire_after(1h);
                    handler.stream->close();
                    handler.stream->abort();
                    calling = false;
                  };
                }};
  BareSocket peer{served.address};
  peer.send("x");
  CHECK(served.wait_for_stream()->wait_until_closed().error().code == Code::cancelled);
  CHECK(nested == 0);
}

TEST_CASE("a stream wakes its owner once, when the time that was named last has passed") {
  Served served;
  const auto client = *connect(*served.network, served.address);
  const auto server = served.wait_for_stream();
  // Beside a time limit that is set all the time, earlier and later.
  server->stream->expire_after(1h);
  server->stream->wake_after(1h);
  const auto begin = std::chrono::steady_clock::now();
  server->stream->wake_after(5ms);
  server->wait_until_woken(1);
  CHECK(std::chrono::steady_clock::now() - begin >= 5ms);
  server->stream->wake_after(1ms);
  server->stream->expire_after(1h);
  server->wait_until_woken(2);
  server->stream->wake_after(10h);
  server->stream->expire_after(2ms);
  CHECK(server->wait_until_closed().error().reason == "STREAM_EXPIRED");
  server->stream->wake_after(0ns);  // ignored
  CHECK(client->wait_until_closed());
  CHECK(server->woken() == 2);
}

TEST_CASE("a handler that throws loses its own connection, and the others go on") {
  const auto thrower = [](Handler& handler) {
    handler.data = [&handler](std::string_view bytes) {
      if (bytes == "throw") throw std::runtime_error{"boom"};
      if (bytes == "odd") throw 7;
      handler.stream->write(std::string{bytes});
    };
  };
  Served served{1, thrower};
  const auto good = *connect(*served.network, served.address);
  const auto good_server = served.wait_for_stream(0);
  const auto bad = *connect(*served.network, served.address);
  bad->stream->write("throw");
  const auto why = served.wait_for_stream(1)->wait_until_closed();
  REQUIRE_FALSE(why);
  CHECK(why.error().code == Code::internal);
  CHECK(why.error().message.find("boom") != std::string::npos);
  CHECK_FALSE(bad->wait_until_closed());
  const auto odd = *connect(*served.network, served.address);
  odd->stream->write("odd");
  CHECK(served.wait_for_stream(2)->wait_until_closed().error().code == Code::internal);
  CHECK(served.log.count("network.handler_failed") == 2);
  good->stream->write("fine");
  CHECK(good->wait_for_bytes(4) == "fine");
}
