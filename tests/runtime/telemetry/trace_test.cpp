#include "runtime/telemetry/trace.hpp"

#include <doctest/doctest.h>

#include <deque>

using namespace troupe::runtime;

namespace {

class GivenNumbers final : public Random {
 public:
  explicit GivenNumbers(std::deque<std::uint64_t> numbers) : numbers_(std::move(numbers)) {}
  std::uint64_t next() override {
    const auto number = numbers_.at(0);
    numbers_.pop_front();
    return number;
  }

 private:
  std::deque<std::uint64_t> numbers_;
};

const std::string example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

std::string with(std::size_t position, std::string_view text) {
  return std::string{example}.replace(position, text.size(), text);
}

}  // namespace

TEST_CASE("the recommendation's examples are read and written alike") {
  const auto context = TraceContext::parse(example);
  REQUIRE(context);
  CHECK(context->trace_id() == "4bf92f3577b34da6a3ce929d0e0e4736");
  CHECK(context->span_id() == "00f067aa0ba902b7");
  CHECK(context->sampled);
  CHECK(context->traceparent() == example);
  CHECK(TraceContext::parse(with(53, "00"))->traceparent() == with(53, "00"));
}

TEST_CASE("flags other than sampled are accepted and not passed on") {
  CHECK(TraceContext::parse(with(53, "ff"))->traceparent() == example);
  CHECK(TraceContext::parse(with(53, "02"))->traceparent() == with(53, "00"));
}

TEST_CASE("later versions are read as far as we know them, and answered in ours") {
  CHECK(TraceContext::parse(with(0, "01"))->traceparent() == example);
  CHECK(TraceContext::parse(with(0, "cc") + "-what-comes")->traceparent() == example);
  CHECK(TraceContext::parse(with(0, "fe") + "-")->traceparent() == example);
  CHECK_FALSE(TraceContext::parse(with(0, "01") + "what"));
  CHECK_FALSE(TraceContext::parse(with(0, "ff")));
  CHECK_FALSE(TraceContext::parse(with(0, "ff") + "-x"));
}

TEST_CASE("everything else is no traceparent") {
  CHECK_FALSE(TraceContext::parse(""));
  CHECK_FALSE(TraceContext::parse("00"));
  CHECK_FALSE(TraceContext::parse(example.substr(0, 54)));
  CHECK_FALSE(TraceContext::parse(example + "-"));
  CHECK_FALSE(TraceContext::parse(example + "0"));
  CHECK_FALSE(TraceContext::parse(" " + example));
  CHECK_FALSE(TraceContext::parse(example + " "));
  CHECK_FALSE(TraceContext::parse(with(3, std::string(32, '0'))));
  CHECK_FALSE(TraceContext::parse(with(36, std::string(16, '0'))));
  for (std::size_t position = 0; position < example.size(); ++position)
    for (const char* wrong : {"A", "F", "g", "_", "/", ":", "`", " ", "\xff"})
      CHECK_FALSE(TraceContext::parse(with(position, wrong)));
}

TEST_CASE("a new trace and a new span never have an id of zeros") {
  GivenNumbers random{{0, 0, 0, 7, 0, 9}};
  const auto context = TraceContext::make(random, true);
  CHECK(context.traceparent() == "00-00000000000000000000000000000007-0000000000000009-01");
  GivenNumbers more{{0, 0xabc}};
  const auto child = context.child(more);
  CHECK(child.traceparent() == "00-00000000000000000000000000000007-0000000000000abc-01");
}
