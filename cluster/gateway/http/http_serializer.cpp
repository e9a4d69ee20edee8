#include "cluster/gateway/http/http_serializer.hpp"

#include <boost/beast/http/status.hpp>

namespace troupe::cluster {
namespace {

std::string_view phrase(unsigned status) {
  if (status == 499) return "Client Closed Request";
  const auto text = boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(status));
  return {text.data(), text.size()};
}

// A line break inside a value would begin a header, or a response, of someone else's making.
void append_value(std::string& out, std::string_view value) {
  for (const char c : value) out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? ' ' : c;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  append_value(out, value);
  out += "\r\n";
}

}  // namespace

std::string serialize(const HttpResponse& response, const HttpFraming& framing,
                      std::string_view date) {
  // RFC 9110, section 8.6: these have no content, and 204 no Content-Length either.
  const bool bodiless = response.status == 204 || response.status == 304;
  std::string out;
  out.reserve(256 + 64 * response.headers.size() + response.body.size());
  out += "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += phrase(response.status);
  out += "\r\n";
  append_header(out, "Date", date);
  if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
  if (!bodiless) append_header(out, "Content-Length", std::to_string(response.body.size()));
  for (const auto& header : response.headers) append_header(out, header.name, header.value);
  if (framing.close) {
    out += "Connection: close\r\n";
  } else if (framing.keep_alive) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  if (!framing.head && !bodiless) out += response.body;
  return out;
}

}  // namespace troupe::cluster
