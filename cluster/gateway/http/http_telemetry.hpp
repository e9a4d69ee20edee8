// What a server tells about itself: the metrics troupe_http_requests_total{method,route,status},
// troupe_http_request_seconds{method,route} and troupe_http_connections{server}, and an access log
// at debug level.
#pragma once

#include <string>

#include "cluster/gateway/http/http_server.hpp"

namespace troupe::cluster {

// Options of a server with these limits that reports to the platform. `server` is a label; methods
// and routes are, too, so their number stays bounded: a method that is not a usual one is "other",
// a request without a route has an empty one.
HttpServerOptions observed(runtime::Platform& platform, const std::string& server,
                           const HttpLimits& limits);

}  // namespace troupe::cluster
