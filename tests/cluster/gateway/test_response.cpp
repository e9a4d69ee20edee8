#include "test_response.hpp"

#include <doctest/doctest.h>

namespace troupe::cluster::tests {

std::string Received::header(std::string_view name) const {
  for (const auto& header : headers) {
    if (equal_ignoring_case(header.name, name)) return header.value;
  }
  return {};
}

std::vector<Received> responses(std::string_view bytes, bool heads) {
  std::vector<Received> all;
  while (!bytes.empty()) {
    const auto end = bytes.find("\r\n\r\n");
    REQUIRE_MESSAGE(end != std::string_view::npos, "no end of the headers in: " << bytes);
    auto head = bytes.substr(0, end + 2);
    bytes.remove_prefix(end + 4);

    Received response;
    REQUIRE(head.starts_with("HTTP/1.1 "));
    response.status = static_cast<unsigned>(std::stoul(std::string{head.substr(9, 3)}));
    head.remove_prefix(head.find("\r\n") + 2);
    while (!head.empty()) {
      const auto line = head.substr(0, head.find("\r\n"));
      head.remove_prefix(line.size() + 2);
      const auto colon = line.find(": ");
      REQUIRE(colon != std::string_view::npos);
      response.headers.push_back(
          {std::string{line.substr(0, colon)}, std::string{line.substr(colon + 2)}});
    }
    const auto length = response.header("Content-Length");
    if (!length.empty() && !heads) {
      const auto size = std::stoul(length);
      REQUIRE(size <= bytes.size());
      response.body = bytes.substr(0, size);
      bytes.remove_prefix(size);
    }
    all.push_back(std::move(response));
  }
  return all;
}

Received response(std::string_view bytes, bool head) {
  auto all = responses(bytes, head);
  REQUIRE_MESSAGE(all.size() == 1, "not one response: " << bytes);
  return all.front();
}

}  // namespace troupe::cluster::tests
