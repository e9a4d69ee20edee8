#include "simulations/faults/fault.hpp"

#include <algorithm>
#include <cstdio>

namespace troupe::simulations {

namespace {

constexpr std::int64_t million = 1'000'000;
constexpr std::int64_t any_max = INT64_MAX;

std::vector<FaultShape> make_shapes() {
  using K = FaultKind;
  return {
      {.kind = K::kill, .name = "kill", .lasts = true},
      {.kind = K::power_cut,
       .name = "power_cut",
       .lasts = true,
       .amount = true,
       .amount_max = any_max},
      {.kind = K::power_cut_in_start,
       .name = "power_cut_in_start",
       .lasts = true,
       .amount = true,
       .amount_max = any_max},
      {.kind = K::pause, .name = "pause", .lasts = true},
      {.kind = K::lost_disk, .name = "lost_disk", .lasts = true},
      {.kind = K::gone, .name = "gone"},
      {.kind = K::stop, .name = "stop", .lasts = true},
      {.kind = K::slow_disk,
       .name = "slow_disk",
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = 3600 * million},
      {.kind = K::full_disk,
       .name = "full_disk",
       .lasts = true,
       .amount = true,
       .amount_max = any_max},
      {.kind = K::read_error,
       .name = "read_error",
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = million},
      {.kind = K::write_error,
       .name = "write_error",
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = million},
      {.kind = K::sync_error,
       .name = "sync_error",
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = million},
      {.kind = K::rot_log, .name = "rot_log", .amount = true, .amount_max = any_max},
      {.kind = K::rot_shard, .name = "rot_shard", .amount = true, .amount_max = any_max},
      {.kind = K::slow_link,
       .name = "slow_link",
       .peer = true,
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = 3600 * million},
      {.kind = K::clogged_link, .name = "clogged_link", .peer = true, .lasts = true},
      {.kind = K::reset_link, .name = "reset_link", .peer = true},
      {.kind = K::partition, .name = "partition", .peer = true, .lasts = true},
      {.kind = K::refused, .name = "refused", .lasts = true},
      {.kind = K::lossy_link,
       .name = "lossy_link",
       .peer = true,
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = million},
      {.kind = K::clock_offset,
       .name = "clock_offset",
       .amount = true,
       .amount_min = -86'400 * million,
       .amount_max = 86'400 * million},
      {.kind = K::clock_drift,
       .name = "clock_drift",
       .amount = true,
       .amount_min = -500'000,
       .amount_max = 500'000},
      {.kind = K::handler_throws,
       .name = "handler_throws",
       .node = false,
       .service = true,
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = million},
      {.kind = K::shard_fails,
       .name = "shard_fails",
       .node = false,
       .service = true,
       .lasts = true,
       .amount = true,
       .amount_min = 1,
       .amount_max = million},
  };
}

// Seconds, exactly, with `decimals` or more.
std::string seconds(Duration time, int decimals) {
  char text[40];
  const auto count = static_cast<long long>(time.count());
  std::snprintf(text, sizeof text, "%lld.%09lld", count / 1'000'000'000, count % 1'000'000'000);
  std::string result = text;
  const auto whole = result.find('.');
  const auto digits =
      std::max(result.find_last_not_of('0'), whole + static_cast<std::size_t>(decimals));
  result.resize(digits == whole ? whole : digits + 1);
  return result + 's';
}

}  // namespace

const std::vector<FaultShape>& fault_shapes() {
  static const std::vector<FaultShape> shapes = make_shapes();
  return shapes;
}

const FaultShape& shape_of(FaultKind kind) {
  return fault_shapes().at(static_cast<std::size_t>(kind));
}

bool harms_data(FaultKind kind) {
  return kind == FaultKind::rot_log || kind == FaultKind::rot_shard || kind == FaultKind::lost_disk;
}

std::string_view name_of(FaultKind kind) {
  return shape_of(kind).name;
}

std::optional<FaultKind> fault_kind(std::string_view name) {
  const auto found = std::ranges::find(fault_shapes(), name, &FaultShape::name);
  if (found == fault_shapes().end()) return std::nullopt;
  return found->kind;
}

std::string to_text(const Fault& fault) {
  const auto& shape = shape_of(fault.kind);
  std::string text = seconds(fault.at, 3) + ' ' + std::string{shape.name};
  if (shape.node) text += ' ' + fault.node;
  if (shape.peer) text += " peer=" + fault.peer;
  if (shape.service) text += " service=" + fault.peer;
  if (shape.lasts) text += " lasts=" + seconds(fault.lasts, 0);
  if (shape.amount) text += " amount=" + std::to_string(fault.amount);
  return text;
}

std::string to_text(const FaultPlan& plan) {
  std::string text;
  for (const auto& fault : plan) text += to_text(fault) + '\n';
  return text;
}

}  // namespace troupe::simulations
