#include "simulations/trace_page/trace_page.hpp"

#include <doctest/doctest.h>

using namespace troupe::simulations;
using std::chrono::milliseconds;

namespace {

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
  return found;
}

TracePage page_of(const std::string& text) {
  TracePage page;
  page.simulation = page.replay = page.draw = page.faults = text;
  page.failure = Failure{text, text, milliseconds{1}};
  page.events.push_back({.time = milliseconds{1},
                         .node = text,
                         .kind = text,
                         .name = text,
                         .detail = text,
                         .peer = text,
                         .entity = text});
  return page;
}

}  // namespace

TEST_CASE("nothing of the run becomes markup") {
  const auto plain = render_trace_page(page_of("plain"));
  for (const std::string hostile : {"</script><script>alert(1)</script>", "<!--<script>",
                                    "<img src=x onerror=alert(1)>", "]]>"}) {
    const auto file = render_trace_page(page_of(hostile));
    CHECK(count(file, "<") == count(plain, "<"));
    CHECK(count(file, "</script") == 2);
    CHECK(file.find(hostile == "]]>" ? "\x01" : hostile) == std::string::npos);
  }
}

TEST_CASE("the file is UTF-8, whatever bytes the run gave") {
  const auto file = render_trace_page(page_of("a\xff\xc3 \x80 b"));
  CHECK(file.find('\xff') == std::string::npos);
  CHECK(file.find("a\xEF\xBF\xBD\xEF\xBF\xBD \xEF\xBF\xBD b") != std::string::npos);
}

TEST_CASE("the file asks for nothing") {
  const auto file = render_trace_page(page_of("plain"));
  for (const auto* part : {"http:", "https:", "src=", "url(", "@import", "<link", "fetch("})
    CHECK_MESSAGE(file.find(part) == std::string::npos, part);
  CHECK(file.find("default-src 'none'") != std::string::npos);
}

TEST_CASE("a page holds the last events and tells how many there were before") {
  TracePage page;
  page.dropped = 5;
  for (std::size_t i = 0; i < page_events_max + 3; ++i)
    page.events.push_back({.time = milliseconds{i},
                           .node = "n1",
                           .kind = "state",
                           .name = "event-" + std::to_string(i) + "!",
                           .detail = ""});
  const auto file = render_trace_page(page);
  CHECK(file.find("\"dropped\":8,") != std::string::npos);
  CHECK(file.find("event-2!") == std::string::npos);
  CHECK(file.find("event-3!") != std::string::npos);
  CHECK(file.find("event-" + std::to_string(page_events_max + 2) + "!") != std::string::npos);
}
