#include "config/units.hpp"

#include <array>
#include <charconv>
#include <limits>

namespace troupe::config {
namespace {

using namespace std::chrono_literals;

struct DurationUnit {
  std::string_view name;
  Duration length;
};
// Largest first, as format_duration() takes them.
constexpr std::array<DurationUnit, 6> duration_units{
    {{"d", 24h}, {"h", 1h}, {"m", 1min}, {"s", 1s}, {"ms", 1ms}, {"us", 1us}}};
constexpr Duration duration_max = 36500 * 24h;

struct SizeUnit {
  std::string_view name;
  std::uint64_t bytes;
};
constexpr std::array<SizeUnit, 5> size_units{
    {{"TiB", 1ull << 40}, {"GiB", 1ull << 30}, {"MiB", 1ull << 20}, {"KiB", 1ull << 10}, {"B", 1}}};

constexpr std::string_view duration_hint =
    "write whole numbers with us, ms, s, m, h or d, such as \"250ms\", \"10s\" or \"1h30m\"";
constexpr std::string_view size_hint =
    "write a whole number with B, KiB, MiB, GiB or TiB, such as \"256KiB\"";

tl::unexpected<Complaint> complain(std::string_view text, std::string_view what,
                                   std::string_view hint) {
  return tl::make_unexpected(
      Complaint{in_quotes(text) + " is " + std::string{what}, std::string{hint}});
}

// Takes the leading digits and then the leading letters off `rest`.
struct Part {
  std::uint64_t number = 0;
  std::string_view unit;
};
bool take_part(std::string_view& rest, Part& part) {
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), part.number);
  if (error != std::errc{}) return false;
  rest.remove_prefix(static_cast<std::size_t>(end - rest.data()));
  std::size_t letters = 0;
  while (letters < rest.size() && ((rest[letters] >= 'a' && rest[letters] <= 'z') ||
                                   (rest[letters] >= 'A' && rest[letters] <= 'Z')))
    ++letters;
  part.unit = rest.substr(0, letters);
  rest.remove_prefix(letters);
  return letters > 0;
}

}  // namespace

tl::expected<Duration, Complaint> parse_duration(std::string_view text) {
  Duration sum{0};
  std::string_view rest = text;
  do {
    Part part;
    if (!take_part(rest, part)) return complain(text, "not a duration", duration_hint);
    const DurationUnit* unit = nullptr;
    for (const auto& candidate : duration_units)
      if (candidate.name == part.unit) unit = &candidate;
    if (!unit) return complain(text, "not a duration", duration_hint);
    if (part.number > static_cast<std::uint64_t>((duration_max - sum) / unit->length))
      return complain(text, "longer than 36500d", duration_hint);
    sum += static_cast<Duration::rep>(part.number) * unit->length;
  } while (!rest.empty());
  return sum;
}

tl::expected<std::uint64_t, Complaint> parse_size(std::string_view text) {
  Part part;
  std::string_view rest = text;
  if (!take_part(rest, part) || !rest.empty()) return complain(text, "not a size", size_hint);
  for (const auto& unit : size_units) {
    if (unit.name != part.unit) continue;
    if (part.number > std::numeric_limits<std::int64_t>::max() / unit.bytes)
      return complain(text, "more than 8388607TiB", size_hint);
    return part.number * unit.bytes;
  }
  return complain(text, "not a size", size_hint);
}

std::string format_duration(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  // One day is "24h" to most people; only whole days beyond it are counted in days.
  const bool in_days = duration % 24h == Duration::zero() && duration > 24h;
  std::string text;
  for (const auto& unit : duration_units) {
    if (unit.length == 24h && !in_days) continue;
    const auto count = duration / unit.length;
    if (count == 0) continue;
    text += std::to_string(count) + std::string{unit.name};
    duration -= count * unit.length;
  }
  return text;
}

std::string format_size(std::uint64_t bytes) {
  for (const auto& unit : size_units)
    if (bytes >= unit.bytes && bytes % unit.bytes == 0)
      return std::to_string(bytes / unit.bytes) + std::string{unit.name};
  return "0B";
}

}  // namespace troupe::config
