// The fixed parts of a trace page: page.html, page.css; model.js, draw.js and page.js one after the
// other.
#pragma once

#include <string_view>

namespace troupe::simulations {

extern const std::string_view trace_page_body;
extern const std::string_view trace_page_css;
extern const std::string_view trace_page_script;

}  // namespace troupe::simulations
