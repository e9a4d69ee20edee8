// The text form of fault plans.
#include <algorithm>
#include <charconv>
#include <optional>

#include "simulations/faults/fault.hpp"

namespace troupe::simulations {

namespace {

constexpr std::string_view spaces = " \t\r";

// The next word of a line, taken off its front; empty at the end.
std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(spaces), line.size()));
  const auto word = line.substr(0, line.find_first_of(spaces));
  line.remove_prefix(word.size());
  return word;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "12.500s", "20ms": digits, up to nine decimals, a unit. At most about a hundred days.
std::optional<Duration> parse_time(std::string_view text) {
  const auto digits = text.find_first_not_of("0123456789.");
  if (digits == std::string_view::npos) return std::nullopt;
  const auto unit = text.substr(digits);
  const std::int64_t scale = unit == "s"    ? 1'000'000'000
                             : unit == "ms" ? 1'000'000
                             : unit == "us" ? 1000
                             : unit == "ns" ? 1
                                            : 0;
  const auto number = text.substr(0, digits);
  const auto point = std::min(number.find('.'), number.size());
  const auto whole = parse_number<std::int64_t>(number.substr(0, point));
  if (scale == 0 || !whole || *whole > 9'000'000'000'000'000 / scale) return std::nullopt;
  std::int64_t count = *whole * scale;
  if (point < number.size()) {
    auto part = scale;
    const auto decimals = number.substr(point + 1);
    if (decimals.empty()) return std::nullopt;
    for (const char digit : decimals) {
      if (digit == '.' || (part % 10 != 0 && digit != '0')) return std::nullopt;
      part /= 10;
      count += part * (digit - '0');
    }
  }
  return Duration{count};
}

std::string kinds_text() {
  std::string text;
  for (const auto& shape : fault_shapes()) {
    if (!text.empty()) text += ", ";
    text += shape.name;
  }
  return text;
}

// How a line of a kind looks.
std::string usage(const FaultShape& shape) {
  std::string text = "TIME " + std::string{shape.name};
  if (shape.node) text += " NODE";
  if (shape.peer) text += " peer=NODE";
  if (shape.service) text += " service=NAME";
  if (shape.lasts) text += " lasts=TIME";
  if (shape.amount) text += " amount=NUMBER";
  return text;
}

// Parses one line; keeps the reason of a failure.
class Line {
 public:
  explicit Line(std::string_view text) : rest_(text) {}

  std::optional<Fault> parse() {
    const auto at = take_word(rest_);
    const auto time = parse_time(at);
    if (!time) {
      return fail("'" + std::string{at} + "' is no time; begin with one, as 12.5s or 20ms");
    }
    fault_.at = *time;
    const auto name = take_word(rest_);
    const auto kind = fault_kind(name);
    if (!kind) {
      return fail("'" + std::string{name} + "' is no kind of fault; kinds are " + kinds_text());
    }
    fault_.kind = *kind;
    shape_ = &shape_of(*kind);
    if (shape_->node) {
      fault_.node = take_word(rest_);
      if (fault_.node.empty() || fault_.node.find('=') != std::string::npos) {
        return fail("the node is missing");
      }
    }
    for (auto word = take_word(rest_); !word.empty(); word = take_word(rest_)) {
      if (!take_field(word)) return std::nullopt;
    }
    if (shape_->peer && fault_.peer.empty()) return fail("peer= is missing");
    if (shape_->service && fault_.peer.empty()) return fail("service= is missing");
    if (shape_->lasts && !has_lasts_) return fail("lasts= is missing");
    if (shape_->amount && !has_amount_) return fail("amount= is missing");
    return fault_;
  }

  const std::string& why() const { return why_; }

 private:
  bool take_field(std::string_view word) {
    const auto equals = word.find('=');
    const auto key = word.substr(0, equals);
    const auto value =
        equals == std::string_view::npos ? std::string_view{} : word.substr(equals + 1);
    if ((key == "peer" && shape_->peer) || (key == "service" && shape_->service)) {
      fault_.peer = value;
      if (value.empty()) fail(std::string{key} + "= has no value");
    } else if (key == "lasts" && shape_->lasts) {
      const auto time = parse_time(value);
      if (!time) fail("'" + std::string{value} + "' is no time; write one as 12.5s or 20ms");
      fault_.lasts = time.value_or(Duration{0});
      has_lasts_ = true;
    } else if (key == "amount" && shape_->amount) {
      const auto number = parse_number<std::int64_t>(value);
      if (!number || *number < shape_->amount_min || *number > shape_->amount_max) {
        fail("amount=" + std::string{value} + " is no number from " +
             std::to_string(shape_->amount_min) + " to " + std::to_string(shape_->amount_max));
      }
      fault_.amount = number.value_or(0);
      has_amount_ = true;
    } else {
      fail("'" + std::string{word} + "' has no place here");
    }
    return why_.empty();
  }

  std::nullopt_t fail(const std::string& what) {
    why_ = what;
    if (shape_ != nullptr) why_ += "; write " + usage(*shape_);
    return std::nullopt;
  }

  std::string_view rest_;
  const FaultShape* shape_ = nullptr;
  Fault fault_;
  bool has_lasts_ = false;
  bool has_amount_ = false;
  std::string why_;
};

}  // namespace

Result<FaultPlan> parse_fault_plan(std::string_view text) {
  FaultPlan plan;
  for (std::size_t number = 1; !text.empty(); ++number) {
    auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(spaces) == std::string_view::npos) continue;
    Line parser{line};
    auto fault = parser.parse();
    if (!fault) {
      return invalid_argument("FAULT_PLAN_INVALID",
                              "line " + std::to_string(number) + ": " + parser.why());
    }
    plan.push_back(std::move(*fault));
  }
  std::ranges::stable_sort(plan, {}, &Fault::at);
  return plan;
}

}  // namespace troupe::simulations
