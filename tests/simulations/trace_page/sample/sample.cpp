// usage: trace_page_sample KIND >page.html
//
// Writes the page of a made-up run with three nodes: `small` fails and is small enough to count,
// `large` fails after 10,000 events, `endless` has more than a page holds, `hostile` has keys and
// texts that would like to be markup, `passed` does not fail.
#include <cstdint>
#include <iostream>
#include <string>

#include "simulations/trace_page/recorder.hpp"

using namespace troupe::simulations;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;
using troupe::Duration;

namespace {

class Run {
 public:
  std::uint64_t below(std::uint64_t bound) {
    state_ = state_ * 6364136223846793005 + 1442695040888963407;
    return (state_ >> 33) % bound;
  }

  void event(Duration time, const std::string& node, const std::string& kind,
             const std::string& name, const std::string& bytes = "") {
    recorder.on_event({.time = time,
                       .node = 0,
                       .node_name = node,
                       .kind = kind,
                       .name = name,
                       .bytes = bytes,
                       .hash = 0});
  }

  // One way of a message; returns when it arrives.
  Duration message(Duration time, const std::string& from, const std::string& to,
                   const std::string& bytes, bool lost = false) {
    const auto name = from + ">" + to + "#" + std::to_string(++messages_);
    event(time, from.substr(0, from.rfind(':')), "net.send", name, bytes);
    const auto arrives = time + microseconds{200 + below(1800)};
    if (!lost) event(arrives, to.substr(0, to.rfind(':')), "net.data", name, bytes);
    return arrives;
  }

  // A deposit, replicated from n1 to the others, and what the client sees of it. The events of one
  // call come in order; those of several calls do not overlap here.
  Duration deposit(Duration begin, int client, const std::string& key, int cents, bool answered,
                   bool third) {
    const auto path = "/v1/accounts/" + escaped(key) + ":deposit";
    const auto from = "outside:" + std::to_string(50'000 + client);
    const auto request =
        "POST " + path + " HTTP/1.1\r\nHost: n1\r\n\r\n{\"cents\": " + std::to_string(cents) + "}";
    auto time = message(begin, from, "n1:8080", request.substr(0, 30));
    time = message(time, from, "n1:8080", request.substr(30));
    message(time, "n1:7401", "n2:7400", std::string("\x07\x01raft", 6), cents % 7 == 0);
    const auto there =
        message(time + microseconds{40}, "n1:7402", "n3:7400", "\x07\x01raft", !third);
    if (third) time = message(there, "n3:7400", "n1:7402", "\x07\x02ok");
    if (answered) {
      time = message(time, "n1:8080", from, "HTTP/1.1 200 OK\r\n\r\n{\"balance\": 12}");
    }
    const auto returned = answered ? time : begin + milliseconds{40};
    PageEvent operation{.time = begin,
                        .node = "",
                        .kind = !answered        ? "operation.unknown"
                                : cents % 5 == 0 ? "operation.refused"
                                                 : "operation.success",
                        .name = "client " + std::to_string(client) + " Deposit(" + key + ") " +
                                std::to_string(cents),
                        .detail = !answered        ? "no answer: CONNECTION_LOST"
                                  : cents % 5 == 0 ? "ACCOUNT_CLOSED"
                                                   : "balance 12",
                        .until = returned,
                        .entity = key};
    if (!answered) operation.detail += "\nit may have taken effect once, or never";
    recorder.add(std::move(operation));
    return time;
  }

  void line(Duration time, const std::string& node, troupe::runtime::LogLevel level,
            const std::string& event, const std::string& text) {
    log.lines.push_back(
        {time, node, level, event, "2026-01-01T00:00:00.000Z " + node + " " + event + ": " + text});
  }

  PageRecorder recorder;
  LogBook log;

 private:
  static std::string escaped(const std::string& key) {
    std::string out;
    for (const char c : key) {
      constexpr const char* digits = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
        out += c;
      } else {
        out += {'%', digits[byte >> 4], digits[byte & 15]};
      }
    }
    return out;
  }

  std::uint64_t state_ = 1;
  std::uint64_t messages_ = 0;
};

TracePage make(const std::string& kind) {
  using troupe::runtime::LogLevel;
  const std::string hostile = "</script><img src=x onerror=\"document.title='broken'\">&amp;";
  const int deposits = kind == "large" ? 800 : kind == "endless" ? 4000 : 12;
  Run run;
  for (const auto* node : {"n1", "n2", "n3"}) run.event(milliseconds{1}, node, "start", "1");
  run.line(milliseconds{3}, "n1", LogLevel::info, "raft.leading", "leads in term 1");
  Duration time = milliseconds{20};
  Duration failed{};
  for (int i = 0; i < deposits; ++i) {
    const int phase = i * 12 / deposits;  // the same story, however long
    const bool first = i == 0 || (i - 1) * 12 / deposits != phase;
    if (first && phase == 3) {
      run.event(time, "n2", "fault", "0.100s partition n2 n1 lasts=40ms");
      run.line(time, "n2", LogLevel::warn, "supervisor.restart", "link restarts restarts=1");
    }
    if (first && phase == 6)
      run.event(time, "n2", "fault", "healed: 0.100s partition n2 n1 lasts=40ms");
    if (first && phase == 7) {
      run.event(time, "n3", "fault", "0.200s power_cut n3 lasts=3s");
      run.event(time, "n3", "crash", "");
    }
    if (first && phase == 9) {
      run.event(time, "n3", "start", "2");
      run.line(time, "n3", LogLevel::error, "shard.apply_failed", "disk is full entity=bob");
      run.line(time, "n1", LogLevel::warn, "shard.refusing", "refuses commands: DISK_FULL");
      time += seconds{2};
    }
    const auto key = kind == "hostile" ? hostile
                     : i % 3 == 0      ? "bob"
                     : i % 3 == 1      ? "alice"
                                       : "carol";
    time = run.deposit(time, static_cast<int>(run.below(8)), key, i + 1, phase != 7,
                       phase != 7 && phase != 8);
    time += microseconds{500 + run.below(6000)};
    if (phase == 10) failed = time;
  }
  run.recorder.add(run.log);
  if (kind == "hostile") {
    run.recorder.add({.time = time,
                      .node = hostile,
                      .kind = hostile,
                      .name = hostile,
                      .detail = hostile + "\xff\xfe\n" + hostile});
  }

  TracePage page = run.recorder.take();
  page.simulation = kind == "hostile" ? hostile : "ledger";
  page.seed = 18'446'744'073'709'551'557U;
  page.replay = "troupe simulate ledger --seed 18446744073709551557";
  page.draw = "faults: partition power_cut; schedule: pct; knobs: batch_commands=3";
  page.faults = "0.100s partition n2 n1 lasts=40ms\n0.200s power_cut n3 lasts=3s\n";
  if (kind == "hostile") page.draw = page.faults = page.replay = hostile;
  if (kind != "passed") {
    page.failure = Failure{kind == "hostile" ? hostile : "model",
                           "Deposit(bob) 31 at index 1234 was acknowledged with balance 12;\n"
                           "the model says 43: the deposit of 31 is lost",
                           failed};
  }
  return page;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: trace_page_sample small|large|endless|hostile|passed\n";
    return 2;
  }
  std::cout << render_trace_page(make(argv[1]));
}
