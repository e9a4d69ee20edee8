#include "cluster/gateway/call_headers.hpp"

#include <algorithm>
#include <string_view>

#include "cluster/gateway/http/entity_tag.hpp"
#include "cluster/gateway/idempotency_key.hpp"

namespace troupe::cluster {
namespace {

// RFC 9110, section 13.1: the version that a command wants its entity to have.
Result<std::optional<std::uint64_t>> wanted_version(const HttpRequest& request,
                                                    const actors::MethodType& method) {
  const auto* match = request.header("If-Match");
  const auto* none = request.header("If-None-Match");
  const bool read = method.read_only;
  if (match == nullptr && (none == nullptr || read)) return std::optional<std::uint64_t>{};
  if (read || !method.versioned || (match != nullptr && none != nullptr))
    return invalid_argument("CONDITION_UNSUPPORTED",
                            "this request takes no condition such as If-Match: only commands "
                            "whose contract says `versioned` do, and one at a time");
  if (match == nullptr && trimmed(*none) == "*") return std::optional<std::uint64_t>{0};
  if (match != nullptr && request.count("If-Match") == 1)
    if (const auto version = version_of(*match)) return std::optional{*version};
  return invalid_argument("CONDITION_INVALID",
                          "write If-Match with the one ETag that an answer had, such as \"7\", or "
                          "If-None-Match: * for an entity that must not be there yet");
}

// RFC 9111, section 5.2.1.4: no answer from anything but the origin. Ours is the shard's leader.
bool wants_fresh(const HttpRequest& request) {
  const auto* control = request.header("Cache-Control");
  if (control == nullptr) return false;
  for (std::string_view rest = *control; !rest.empty();) {
    const auto directive = rest.substr(0, rest.find(','));
    if (equal_ignoring_case(trimmed(directive), "no-cache")) return true;
    rest.remove_prefix(std::min(directive.size() + 1, rest.size()));
  }
  return false;
}

}  // namespace

runtime::TraceContext trace_of(const HttpRequest& request, runtime::Random& random) {
  if (const auto* header = request.header("traceparent");
      header && request.count("traceparent") == 1) {
    if (const auto received = runtime::TraceContext::parse(*header)) return received->child(random);
  }
  return runtime::TraceContext::make(random, false);
}

Result<actors::CallOptions> call_options(const HttpRequest& request,
                                         const actors::MethodType& method) {
  actors::CallOptions options;
  TROUPE_TRY(id, idempotency_key(request));
  options.id = id;
  options.caller = "http";  // stored with the replies: the same for every way in
  TROUPE_TRY(version, wanted_version(request, method));
  options.if_version = version;
  options.fresh = wants_fresh(request);
  return options;
}

std::vector<HttpHeader> reply_headers(const actors::ServiceType& service,
                                      const actors::Reply& reply) {
  std::vector<HttpHeader> headers;
  if (reply.repeated) headers.push_back({"Idempotency-Replayed", "true"});
  headers.push_back({"Troupe-Position", service.name + '/' + std::to_string(reply.shard) + '@' +
                                            std::to_string(reply.shard_index)});
  if (reply.age) {
    const auto seconds = std::chrono::ceil<std::chrono::seconds>(*reply.age);
    headers.push_back({"Age", std::to_string(seconds.count())});
    headers.push_back({"Troupe-Applied-Index", std::to_string(reply.shard_index)});
  }
  return headers;
}

}  // namespace troupe::cluster
