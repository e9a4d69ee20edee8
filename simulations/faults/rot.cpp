#include "simulations/faults/rot.hpp"

#include <set>
#include <string_view>
#include <vector>

namespace troupe::simulations {

namespace {

bool is_target(const std::string& path, RotTarget target) {
  const std::string_view folder = target == RotTarget::node_log ? "/log" : "/shards";
  return DiskImage::folder_of(path).ends_with(folder) &&
         (path.ends_with(".db") || path.ends_with(".db-wal"));
}

std::uint32_t big_endian(std::string_view bytes, std::size_t at) {
  std::uint32_t number = 0;
  for (std::size_t i = 0; i < 4; ++i)
    number = number << 8 | static_cast<unsigned char>(bytes[at + i]);
  return number;
}

// Numbers of the pages that a WAL holds, from 1: https://www.sqlite.org/fileformat2.html,
// section 4. Frames of an earlier round have another salt than the header.
std::set<std::uint64_t> pages_of_wal(std::string_view wal) {
  constexpr std::size_t header = 32;
  constexpr std::size_t frame_header = 24;
  std::set<std::uint64_t> pages;
  if (wal.size() < header) return pages;
  const std::size_t frame = frame_header + big_endian(wal, 8);
  for (auto at = header; at + frame <= wal.size(); at += frame) {
    if (wal.substr(at + 8, 8) != wal.substr(16, 8)) break;
    pages.insert(big_endian(wal, at));
  }
  return pages;
}

// A byte of a database in a page that is not in its WAL.
std::optional<std::uint64_t> exposed_byte(const DiskImage& disk, const std::string& path,
                                          RandomStream& random) {
  const auto& bytes = disk.find(path)->bytes;
  const auto wal = disk.find(path + "-wal");
  const auto hidden = pages_of_wal(wal ? std::string_view{wal->bytes} : std::string_view{});
  std::vector<std::uint64_t> exposed;
  for (std::uint64_t page = 0; page < bytes.size() / DiskImage::page_bytes; ++page) {
    if (!hidden.contains(page + 1)) exposed.push_back(page);
  }
  if (exposed.empty()) return std::nullopt;
  const auto page = exposed[random.between(0, exposed.size() - 1)];
  return page * DiskImage::page_bytes + random.between(0, DiskImage::page_bytes - 1);
}

// Any byte, mostly one before the zeros at the end.
std::uint64_t written_byte(const std::string& bytes, RandomStream& random) {
  const auto written = bytes.find_last_not_of('\0');
  const bool anywhere = random.between(0, 7) == 0 || written == std::string::npos;
  return random.between(0, anywhere ? bytes.size() - 1 : written);
}

}  // namespace

std::optional<std::string> rot(DiskImage& disk, RotTarget target, std::uint64_t number) {
  std::vector<std::string> paths;
  for (auto& path : disk.files()) {
    if (is_target(path, target) && !disk.find(path)->bytes.empty()) {
      paths.push_back(std::move(path));
    }
  }
  RandomStream random{number, Domain::rot, 0, 0};
  const bool aimed = target == RotTarget::shard_file && random.between(0, 3) != 0;
  if (aimed) std::erase_if(paths, [](const auto& path) { return path.ends_with("-wal"); });
  if (paths.empty()) return std::nullopt;
  const auto& path = paths[random.between(0, paths.size() - 1)];
  const auto exposed = aimed ? exposed_byte(disk, path, random) : std::nullopt;
  const auto offset = exposed ? *exposed : written_byte(disk.find(path)->bytes, random);
  disk.rot(path, offset, static_cast<std::uint8_t>(1U << random.between(0, 7)));
  return path + '@' + std::to_string(offset);
}

}  // namespace troupe::simulations
