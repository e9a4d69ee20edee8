#include "simulations/trace_page/recorder.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace troupe::simulations {

namespace {

constexpr std::size_t preview_bytes_max = 160;
constexpr std::size_t head_bytes_max = 1024;
constexpr std::string_view healed = "healed: ";

// The machine of "n1:8080".
std::string host_of(std::string_view address) {
  return std::string{address.substr(0, address.rfind(':'))};
}

// "sender>receiver" of "sender>receiver#number".
std::string_view way_of(std::string_view name) {
  return name.substr(0, name.rfind('#'));
}

std::string reversed(std::string_view way) {
  const auto middle = way.find('>');
  if (middle == std::string_view::npos) return std::string{way};
  return std::string{way.substr(middle + 1)} + '>' + std::string{way.substr(0, middle)};
}

std::string preview(std::string_view bytes) {
  std::string text = std::to_string(bytes.size()) + (bytes.size() == 1 ? " byte\n" : " bytes\n");
  for (const char c : bytes.substr(0, preview_bytes_max)) {
    if (c == '\r') continue;
    text += (c >= ' ' && c <= '~') || c == '\n' ? c : '.';
  }
  if (bytes.size() > preview_bytes_max) text += " ...";
  return text;
}

// Whether an HTTP request begins so, as far as can be seen.
bool may_begin_request(std::string_view bytes) {
  for (const std::string_view method : {"GET /", "POST /", "PUT /", "PATCH /", "DELETE /"})
    if (bytes.starts_with(method.substr(0, bytes.size()))) return true;
  return false;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape = text[i] == '%' && i + 2 < text.size() && hex_digit(text[i + 1]) >= 0 &&
                        hex_digit(text[i + 2]) >= 0;
    out +=
        escape ? static_cast<char>(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2])) : text[i];
    if (escape) i += 2;
  }
  return out;
}

// The part of an HTTP path that is one of the entities, or "".
std::string entity_in(std::string_view path, const std::set<std::string>& entities) {
  path = path.substr(0, path.find('?'));
  while (!path.empty()) {
    const auto part = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), part.size() + 1));
    // "bob:deposit": the verb of a custom method.
    for (const auto text : {part, part.substr(0, part.rfind(':'))}) {
      if (const auto key = unescaped(text); !key.empty() && entities.contains(key)) return key;
    }
  }
  return "";
}

// The value of the field `entity` of a line as format_text() writes it.
std::string entity_of(const std::string& line) {
  constexpr std::string_view field = " entity=";
  const auto at = line.find(field);
  if (at == std::string::npos) return "";
  auto begin = at + field.size();
  if (begin >= line.size() || line[begin] != '"') {
    return line.substr(begin, line.find(' ', begin) - begin);
  }
  std::string value;
  for (++begin; begin < line.size() && line[begin] != '"'; ++begin) {
    if (line[begin] == '\\' && begin + 1 < line.size()) ++begin;
    value += line[begin];
  }
  return value;
}

}  // namespace

void PageRecorder::on_event(const TraceEvent& event) {
  const auto kind = event.kind;
  if (kind == "net.send") return sent(event);
  if (kind == "net.data") return arrived(event);
  if (kind == "fault") return fault(event);
  if (kind == "net.close") {
    ways_.erase(std::string{event.name});
    ways_.erase(reversed(event.name));
    return;
  }
  for (const std::string_view shown : {"start", "start.fail", "stop", "crash", "kill"}) {
    if (kind != shown) continue;
    keep({.time = event.time,
          .node = std::string{event.node_name},
          .kind = std::string{kind},
          .name = std::string{event.name},
          .detail = kind == "start" ? "life " + std::string{event.name} : ""});
  }
}

void PageRecorder::sent(const TraceEvent& event) {
  const auto way = way_of(event.name);
  underway_[std::string{event.name}] = first_ + kept_.size();
  auto path = path_of(way, event.bytes);
  keep({.time = event.time,
        .node = std::string{event.node_name},
        .kind = "message",
        .name = std::string{event.name},
        .detail = preview(event.bytes),
        .peer = host_of(way.substr(std::min(way.size(), way.find('>') + 1))),
        .entity = std::move(path)});
}

void PageRecorder::arrived(const TraceEvent& event) {
  const auto at = underway_.find(std::string{event.name});
  if (at == underway_.end()) return;
  if (auto* message = find(at->second)) message->until = event.time;
  underway_.erase(at);
}

void PageRecorder::fault(const TraceEvent& event) {
  if (!event.name.starts_with(healed)) {
    unhealed_[std::string{event.name}] = first_ + kept_.size();
    return keep({.time = event.time,
                 .node = std::string{event.node_name},
                 .kind = "fault",
                 .name = std::string{event.name},
                 .detail = ""});
  }
  const auto begun = unhealed_.find(std::string{event.name.substr(healed.size())});
  if (begun == unhealed_.end()) return;
  if (auto* fault = find(begun->second)) fault->until = event.time;
  unhealed_.erase(begun);
}

// The path of the HTTP request to which a message belongs, "" until it is known: requests come in
// pieces of any size.
std::string PageRecorder::path_of(std::string_view way_name, std::string_view bytes) {
  Way& way = ways_[std::string{way_name}];
  const auto known = [&] {
    if (!way.path.empty()) return way.path;
    const auto other = ways_.find(reversed(way_name));
    return other == ways_.end() ? std::string{} : other->second.path;
  };
  const auto name_messages = [&](const std::string& path) {
    way.head.clear();
    for (const auto number : std::exchange(way.unnamed, {}))
      if (auto* message = find(number)) message->entity = path;
  };

  if (way.head.empty() && !may_begin_request(bytes)) return known();
  way.head += bytes.substr(0, head_bytes_max);
  if (!may_begin_request(way.head)) {  // it only looked like one
    name_messages(known());
    return known();
  }
  if (way.head.find('\n') == std::string::npos && way.head.size() < head_bytes_max) {
    way.unnamed.push_back(first_ + kept_.size());
    return "";
  }
  const auto begin = way.head.find(' ') + 1;
  way.path = way.head.substr(begin, way.head.find(' ', begin) - begin);
  name_messages(way.path);
  return way.path;
}

void PageRecorder::keep(PageEvent event) {
  kept_.push_back(std::move(event));
  if (kept_.size() <= page_events_max) return;
  const auto forget = [&](auto& numbers) {
    const auto at = numbers.find(kept_.front().name);
    if (at != numbers.end() && at->second == first_) numbers.erase(at);
  };
  forget(underway_);
  forget(unhealed_);
  kept_.pop_front();
  ++first_;
}

PageEvent* PageRecorder::find(std::uint64_t number) {
  return number < first_ || number - first_ >= kept_.size() ? nullptr : &kept_[number - first_];
}

void PageRecorder::add(const LogBook& log) {
  for (const auto& line : log.lines) {
    if (line.level == runtime::LogLevel::debug) continue;
    const bool state = line.level == runtime::LogLevel::info || line.event == "shard.refusing";
    const bool error = line.level == runtime::LogLevel::error;
    added_.push_back({.time = line.time,
                      .node = line.node,
                      .kind = error   ? "log.error"
                              : state ? "state"
                                      : "log.warn",
                      .name = line.event,
                      .detail = line.text,
                      .entity = entity_of(line.text)});
  }
}

TracePage PageRecorder::take() {
  std::set<std::string> entities;
  for (const auto& event : added_)
    if (!event.entity.empty()) entities.insert(event.entity);
  for (auto& event : kept_) event.entity = entity_in(event.entity, entities);

  TracePage page;
  page.events.assign(std::make_move_iterator(kept_.begin()), std::make_move_iterator(kept_.end()));
  page.events.insert(page.events.end(), std::make_move_iterator(added_.begin()),
                     std::make_move_iterator(added_.end()));
  std::ranges::stable_sort(page.events, {}, &PageEvent::time);
  page.dropped = first_;
  if (page.events.size() > page_events_max) {
    const auto over = page.events.size() - page_events_max;
    page.events.erase(page.events.begin(), page.events.begin() + static_cast<std::ptrdiff_t>(over));
    page.dropped += over;
  }
  *this = PageRecorder{};
  return page;
}

}  // namespace troupe::simulations
