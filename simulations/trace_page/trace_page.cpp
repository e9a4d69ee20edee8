#include "simulations/trace_page/trace_page.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include "cluster/gateway/http/json_string.hpp"
#include "simulations/trace_page/assets.hpp"

namespace troupe::simulations {

namespace {

// Text that occurs often is written once and named by its number.
class Texts {
 public:
  std::size_t number(const std::string& text) {
    const auto [at, added] = numbers_.try_emplace(text, texts_.size());
    if (added) texts_.push_back(&at->first);
    return at->second;
  }

  void write(std::string& out) const {
    out += '[';
    for (const auto* text : texts_) {
      if (out.back() != '[') out += ',';
      cluster::append_json_string(out, *text);
    }
    out += ']';
  }

 private:
  std::map<std::string, std::size_t> numbers_;
  std::vector<const std::string*> texts_;
};

void append_field(std::string& out, std::string_view name, const std::string& value) {
  cluster::append_json_string(out, name);
  out += ':';
  cluster::append_json_string(out, value);
  out += ',';
}

void append_event(std::string& out, const PageEvent& event, Texts& texts) {
  const auto number = [&](const std::string& text) {
    out += ',';
    out += std::to_string(texts.number(text));
  };
  out += '[';
  out += std::to_string(event.time.count());
  out += ',';
  out += event.until ? std::to_string(event.until->count()) : "null";
  number(event.node);
  number(event.peer);
  number(event.kind);
  number(event.name);
  number(event.detail);
  number(event.entity);
  out += ']';
}

std::string data_of(const TracePage& page) {
  std::string out = "{";
  append_field(out, "simulation", page.simulation);
  append_field(out, "seed", std::to_string(page.seed));  // a number of JavaScript is too small
  append_field(out, "replay", page.replay);
  append_field(out, "draw", page.draw);
  append_field(out, "faults", page.faults);
  out += "\"failure\":";
  if (page.failure) {
    out += '{';
    append_field(out, "check", page.failure->check);
    append_field(out, "what", page.failure->what);
    out += "\"at\":" + std::to_string(page.failure->at.count()) + '}';
  } else {
    out += "null";
  }

  // The last ones: what led to the failure.
  const auto left_out =
      page.events.size() - std::min(page.events.size(), std::size_t{page_events_max});
  out += ",\"dropped\":" + std::to_string(page.dropped + left_out) + ",\"events\":[";
  Texts texts;
  for (auto i = left_out; i < page.events.size(); ++i) {
    if (i > left_out) out += ",\n";
    append_event(out, page.events[i], texts);
  }
  out += "],\n\"texts\":";
  texts.write(out);
  out += '}';
  return out;
}

// JSON inside of a <script>, which ends at the first "</script" whatever stands before it.
std::string for_script(const std::string& json) {
  std::string out;
  out.reserve(json.size());
  for (const char c : json) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

std::string render_trace_page(const TracePage& page) {
  std::string out =
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
      "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>Troupe trace</title>\n<style>\n";
  out += trace_page_css;
  out += "</style>\n</head>\n<body>\n";
  out += trace_page_body;
  out += "<script type=\"application/json\" id=\"trace\">";
  out += for_script(data_of(page));
  out += "</script>\n<script>\n";
  out += trace_page_script;
  out += "</script>\n</body>\n</html>\n";
  return out;
}

}  // namespace troupe::simulations
