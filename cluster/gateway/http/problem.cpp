#include "cluster/gateway/http/problem.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>

#include "cluster/gateway/http/json_string.hpp"

namespace troupe::cluster {
namespace {

// "INSUFFICIENT_FUNDS" to "Insufficient funds".
std::string title(std::string_view reason) {
  std::string text{reason};
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') text[i] = ' ';
    if (i > 0 && text[i] >= 'A' && text[i] <= 'Z') text[i] = static_cast<char>(text[i] - 'A' + 'a');
  }
  return text;
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out += ',';
  append_json_string(out, name);
  out += ':';
  append_json_string(out, value);
}

}  // namespace

unsigned http_status(const Error& error) {
  if (error.reason == "IDEMPOTENCY_KEY_REUSED") return 422;
  if (error.reason == "VERSION_MISMATCH") return 412;
  switch (error.code) {
    case Code::ok:
      return 200;
    case Code::invalid_argument:
    case Code::failed_precondition:
    case Code::out_of_range:
      return 400;
    case Code::unauthenticated:
      return 401;
    case Code::permission_denied:
      return 403;
    case Code::not_found:
      return 404;
    case Code::already_exists:
    case Code::aborted:
      return 409;
    case Code::resource_exhausted:
      return error.reason == "DISK_FULL" ? 507 : 429;
    case Code::cancelled:
      return 499;
    case Code::unimplemented:
      return 501;
    case Code::unavailable:
      return 503;
    case Code::deadline_exceeded:
      return 504;
    case Code::unknown:
    case Code::internal:
    case Code::data_loss:
      return 500;
  }
  return 500;
}

HttpResponse problem(const Error& error, std::string_view trace) {
  return problem(http_status(error), error, trace);
}

HttpResponse problem(unsigned status, const Error& error, std::string_view trace) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.trace = trace;

  auto& body = response.body;
  body.reserve(256 + 2 * error.reason.size() + error.message.size());
  body += "{\"type\":";
  append_json_string(body, "urn:troupe:error:" + error.reason);
  append_member(body, "title", title(error.reason));
  body += ",\"status\":";
  body += std::to_string(status);
  append_member(body, "detail", error.message);
  append_member(body, "code", to_string(error.code));
  append_member(body, "reason", error.reason);
  if (!trace.empty()) append_member(body, "instance", "urn:troupe:trace:" + std::string{trace});
  body += "}\n";

  if (error.retry_after) {
    const auto wait = std::chrono::ceil<std::chrono::seconds>(*error.retry_after);
    response.headers.push_back(
        {"Retry-After", std::to_string(std::max<std::int64_t>(0, wait.count()))});
  }
  // RFC 9110, section 15.5.2: a 401 names the scheme that would help.
  if (status == 401) response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

}  // namespace troupe::cluster
