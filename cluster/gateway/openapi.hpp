// The description of what a gateway serves: an OpenAPI 3.1 document
// (https://spec.openapis.org/oas/v3.1.0), made of the contracts alone. For client generators,
// documentation and API consoles; served at openapi_path, printed by `troupe openapi`.
#pragma once

#include <string>

#include "cluster/gateway/routes.hpp"

namespace troupe::cluster {

// Where the gateway serves it, unless a contract has a route there.
inline constexpr const char* openapi_path = "/openapi.json";

// Paths say the version of what they serve ("/v1/..."); the document as a whole has this one.
inline constexpr const char* openapi_version = "1";

struct OpenApiInfo {
  std::string title;
  std::string version;  // of the API
};

// JSON, one line; the same bytes for the same contracts.
std::string openapi(const Routes& routes, const OpenApiInfo& info);

}  // namespace troupe::cluster
