#include "simulations/faults/rot.hpp"

#include <string_view>
#include <vector>

namespace troupe::simulations {

namespace {

bool is_target(const std::string& path, RotTarget target) {
  const std::string_view folder = target == RotTarget::node_log ? "/log" : "/shards";
  return DiskImage::folder_of(path).ends_with(folder) &&
         (path.ends_with(".db") || path.ends_with(".db-wal"));
}

}  // namespace

std::optional<std::string> rot(DiskImage& disk, RotTarget target, std::uint64_t number) {
  std::vector<std::string> paths;
  for (auto& path : disk.files()) {
    if (is_target(path, target) && !disk.find(path)->bytes.empty()) {
      paths.push_back(std::move(path));
    }
  }
  if (paths.empty()) return std::nullopt;
  RandomStream random{number, Domain::rot, 0, 0};
  const auto& path = paths[random.between(0, paths.size() - 1)];
  const auto& bytes = disk.find(path)->bytes;
  const auto written = bytes.find_last_not_of('\0');
  const bool anywhere = random.between(0, 7) == 0 || written == std::string::npos;
  const auto offset = random.between(0, anywhere ? bytes.size() - 1 : written);
  disk.rot(path, offset, static_cast<std::uint8_t>(1U << random.between(0, 7)));
  return path + '@' + std::to_string(offset);
}

}  // namespace troupe::simulations
