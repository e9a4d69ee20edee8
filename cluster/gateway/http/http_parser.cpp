#include "cluster/gateway/http/http_parser.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <string>
#include <utility>

#include "cluster/gateway/http/url.hpp"

namespace troupe::cluster {
namespace {

namespace http = boost::beast::http;
using boost::beast::error_code;
using Text = boost::beast::string_view;

std::string_view view(Text text) {
  return {text.data(), text.size()};
}

HttpParser::Refusal malformed(std::string message) {
  return {400, invalid_argument("HTTP_MALFORMED", std::move(message))};
}

HttpParser::Refusal target_too_long(const HttpLimits& limits) {
  return {414, invalid_argument("TARGET_TOO_LONG", "the request's target is longer than " +
                                                       std::to_string(limits.target_bytes_max) +
                                                       " bytes")};
}

HttpParser::Refusal header_too_long(const HttpLimits& limits) {
  return {431, invalid_argument("HEADERS_TOO_LARGE",
                                "the request line and the headers are longer than " +
                                    std::to_string(limits.header_bytes_max) + " bytes")};
}

HttpParser::Refusal length_required() {
  return {411, invalid_argument("LENGTH_REQUIRED",
                                "a request with a body says how long it is: send Content-Length")};
}

// "http://host/path?query" is what a client sends that takes us for a proxy; the path is the same.
std::optional<std::string_view> origin_form(std::string_view method, std::string_view target) {
  if (target.starts_with('/')) return target;
  if (target == "*" && method == "OPTIONS") return target;
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    const auto path = target.find_first_of("/?", scheme.size());
    if (path == std::string_view::npos) return "/";
    if (target[path] == '/') return target.substr(path);
  }
  return std::nullopt;
}

}  // namespace

class HttpParser::Impl final : public http::basic_parser<true> {
 public:
  explicit Impl(const HttpLimits& limits) : limits_{limits} {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes_max));
    body_limit(limits.body_bytes_max);
  }

  HttpRequest request;
  std::optional<Refusal> refusal;
  bool line_seen = false;
  bool continue_wanted = false;

  std::size_t header_bytes = 0;

 private:
  void on_request_impl(http::verb, Text method, Text target, int version, error_code& ec) override {
    line_seen = true;
    request.version = static_cast<unsigned>(version);
    request.method = view(method);
    if (target.size() > limits_.target_bytes_max) return refuse(target_too_long(limits_), ec);
    if (request.method == "CONNECT" || request.method == "TRACE") {
      return refuse({501, unimplemented("HTTP_METHOD_UNKNOWN",
                                        "this server has no " + request.method + " requests")},
                    ec);
    }
    request.target = view(target);
    const auto origin = origin_form(request.method, request.target);
    if (!origin || origin->find('#') != std::string_view::npos) {
      return refuse(malformed("the request's target is not a path that begins with \"/\""), ec);
    }
    const auto mark = std::min(origin->find('?'), origin->size());
    request.path = origin->substr(0, mark);
    auto query = parse_query(origin->substr(std::min(mark + 1, origin->size())));
    if (!query) {
      return refuse(
          malformed("the query holds a \"%\" that is not followed by two hexadecimal digits"), ec);
    }
    request.query = std::move(*query);
  }

  void on_field_impl(http::field field, Text name, Text value, error_code& ec) override {
    if (header_complete_) return;  // a trailer: nothing of ours uses one
    if (field == http::field::transfer_encoding) {
      if (request.version < 11) {
        return refuse(malformed("an HTTP/1.0 request has no Transfer-Encoding"), ec);
      }
      if (!equal_ignoring_case(view(value), "chunked")) {
        return refuse({501, unimplemented("TRANSFER_ENCODING_UNKNOWN",
                                          "the only Transfer-Encoding that is understood is "
                                          "\"chunked\"")},
                      ec);
      }
    }
    request.headers.push_back({std::string{view(name)}, std::string{view(value)}});
  }

  void on_header_impl(error_code& ec) override {
    header_complete_ = true;
    request.keep_alive = keep_alive();
    const auto hosts = request.count("Host");
    if (hosts > 1 || (hosts == 0 && request.version >= 11)) {
      return refuse(malformed("an HTTP/1.1 request has exactly one Host header"), ec);
    }
    const bool has_length = content_length().has_value() || chunked();
    const auto& method = request.method;
    if (request.version < 11) {
      // Without a length, the body of an HTTP/1.0 request has no end that we could see.
      if (!has_length && (method == "POST" || method == "PUT" || method == "PATCH")) {
        return refuse(length_required(), ec);
      }
      return;
    }
    const auto* expect = request.header("Expect");
    if (expect == nullptr) return;
    if (!equal_ignoring_case(*expect, "100-continue")) {
      return refuse({417, invalid_argument("EXPECTATION_UNKNOWN",
                                           "the only Expect that is understood is "
                                           "\"100-continue\"")},
                    ec);
    }
    if (!has_length) return refuse(length_required(), ec);
    continue_wanted = !is_done();
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
    // Not the whole of it at once: a header costs nothing to send.
    if (length) request.body.reserve(std::min<std::uint64_t>(*length, 64 * 1024));
  }
  std::size_t on_body_impl(Text bytes, error_code&) override {
    request.body += view(bytes);
    return bytes.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text bytes, error_code&) override {
    request.body += view(bytes);
    return bytes.size();
  }
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  void on_finish_impl(error_code&) override {}
  void on_response_impl(int, Text, int, error_code&) override {}

  void refuse(Refusal why, error_code& ec) {
    refusal = std::move(why);
    ec = http::error::bad_value;  // any error ends the parsing
  }

  const HttpLimits& limits_;
  bool header_complete_ = false;
};

namespace {

// Which limit it was. A request line that Beast has not reported is still in the input.
HttpParser::Refusal too_long(bool line_seen, std::string_view input, const HttpLimits& limits) {
  const auto end = input.find("\r\n");
  const auto line = input.substr(0, end);
  const auto target = line.substr(std::min(line.find(' ') + 1, line.size()));
  const bool fits = end != std::string_view::npos && target.rfind(' ') <= limits.target_bytes_max;
  return line_seen || fits ? header_too_long(limits) : target_too_long(limits);
}

HttpParser::Refusal explain(const error_code& ec, const HttpLimits& limits,
                            std::string_view input) {
  if (ec == http::error::body_limit) {
    return {413, invalid_argument("BODY_TOO_LARGE", "the body is longer than " +
                                                        std::to_string(limits.body_bytes_max) +
                                                        " bytes")};
  }
  if (ec == http::error::bad_version) {
    // A version that is one, rather than something else in its place.
    const auto line = input.substr(0, input.find('\r'));
    const auto version = line.substr(std::min(line.rfind(' ') + 1, line.size()));
    if (version.starts_with("HTTP/")) {
      return {505, unimplemented("HTTP_VERSION_UNSUPPORTED",
                                 "this server speaks HTTP/1.1; the request says " +
                                     std::string{version.substr(0, 16)})};
    }
  }
  return malformed("the request is not HTTP/1.1: " + ec.message());
}

}  // namespace

HttpParser::HttpParser(const HttpLimits& limits) : limits_{limits} {}
HttpParser::~HttpParser() = default;

bool HttpParser::begun() const {
  return impl_ != nullptr;
}

bool HttpParser::in_body() const {
  return impl_ && impl_->is_header_done();
}

std::size_t HttpParser::body_bytes() const {
  return impl_ ? impl_->request.body.size() : 0;
}

bool HttpParser::wants_continue() {
  // A client that has sent some of its body does not wait.
  return impl_ && impl_->request.body.empty() && std::exchange(impl_->continue_wanted, false);
}

HttpRequest HttpParser::take() {
  auto request = std::move(impl_->request);
  impl_.reset();
  return request;
}

HttpParser::State HttpParser::parse(std::string_view input, std::size_t& taken) {
  taken = 0;
  if (!impl_) {
    // RFC 9112, section 2.2: an empty line before a request is ignored.
    while (input.substr(taken).starts_with("\r\n")) taken += 2;
    if (input.size() == taken || input.substr(taken) == "\r") return State::more;
    impl_ = std::make_unique<Impl>(limits_);
  }
  auto& impl = *impl_;
  const auto refused = [&](Refusal why) {
    refusal_ = std::move(why);
    return State::refused;
  };

  for (;;) {
    const bool in_header = !impl.is_header_done();
    const auto rest = input.substr(taken);
    // A chunked body ends with "0\r\n\r\n" at the least. Given less of it, Beast 1.81 may run into
    // an assertion (parse_chunk_header, n >= 5).
    if (rest.size() < (!in_header && impl.chunked() ? 5 : 1)) return State::more;
    error_code ec;
    const auto used = impl.put(boost::asio::const_buffer{rest.data(), rest.size()}, ec);
    taken += used;
    if (impl.refusal) return refused(std::move(*impl.refusal));
    if (in_header) {
      // Beast bounds what is given at once; counted here, the bound is on the whole.
      impl.header_bytes += used;
      const bool complete = impl.is_header_done();
      const auto seen = impl.header_bytes + (complete ? 0 : rest.size() - used);
      if (ec == http::error::header_limit ||
          ((!ec || ec == http::error::need_more) && seen > limits_.header_bytes_max))
        return refused(too_long(impl.line_seen, rest, limits_));
    }
    if (ec && ec != http::error::need_more) return refused(explain(ec, limits_, rest));
    if (impl.is_done()) return State::ready;
    if (ec == http::error::need_more) {
      // What stays is the head of a chunk or a trailer.
      if (!in_header && rest.size() - used > limits_.header_bytes_max) {
        return refused(malformed("the head of a chunk, or the trailer, is too long"));
      }
      return State::more;
    }
    if (used == 0) return State::more;
  }
}

}  // namespace troupe::cluster
