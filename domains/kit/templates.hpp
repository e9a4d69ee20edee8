// The files of templates/, compiled in.
#pragma once

#include <span>
#include <string_view>

namespace troupe::kit {

struct Template {
  std::string_view path;  // relative to the folder that is written
  std::string_view text;
};

// Of a context; the word "newcontext" in a path or a text stands for its name.
std::span<const Template> context_templates();

}  // namespace troupe::kit
