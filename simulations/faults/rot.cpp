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

// A value of SQLite's record format, from `at` on; `at` moves behind it.
std::uint64_t varint(std::string_view bytes, std::size_t& at) {
  std::uint64_t number = 0;
  for (int i = 0; i < 8 && at < bytes.size(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes[at++]);
    number = number << 7 | (byte & 0x7f);
    if (byte < 0x80) break;
  }
  return number;
}

std::uint64_t bytes_of_type(std::uint64_t serial_type) {
  constexpr std::uint64_t fixed[] = {0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0};
  return serial_type < 12 ? fixed[serial_type] : (serial_type - 12) / 2;
}

struct Span {
  std::uint64_t begin = 0, size = 0;
};

// Where in the file the record at `at` has its value, if it is an event's row: the columns of
// storage/shard_rows.cpp are bucket, entity, kind, sub, value, due_ms, sum.
std::optional<Span> event_value(std::string_view bytes, std::size_t at) {
  constexpr std::size_t columns = 7;
  constexpr std::size_t kind = 2;
  constexpr std::uint64_t integer_1 = 9;  // wire::Row::EVENT, as a type without content
  constexpr std::size_t value = 4;
  varint(bytes, at);  // the record's size
  const auto record = at;
  const auto header_end = record + varint(bytes, at);
  std::vector<std::uint64_t> types;
  std::vector<Span> found;
  auto content = header_end;
  while (at < header_end && found.size() <= columns) {
    types.push_back(varint(bytes, at));
    found.push_back({content, bytes_of_type(types.back())});
    content += found.back().size;
  }
  const bool is_row = found.size() == columns && content <= bytes.size();
  if (!is_row || types[kind] != integer_1 || found[value].size == 0) return std::nullopt;
  return found[value];
}

// Of the rows in one page of a database, from 0; the format's section 1.6.
void add_event_values(std::string_view bytes, std::uint64_t page, std::vector<Span>& values) {
  constexpr char leaf_of_index = 0x0a;  // as of a table WITHOUT ROWID
  const auto begin = static_cast<std::size_t>(page * DiskImage::page_bytes);
  const auto header = begin + (page == 0 ? 100 : 0);
  if (bytes[header] != leaf_of_index) return;
  const auto cells = big_endian(bytes, header + 1) & 0xffff;
  for (std::size_t i = 0; i < cells && 2 * i + 10 <= DiskImage::page_bytes; ++i) {
    const auto cell = begin + (big_endian(bytes, header + 6 + 2 * i) & 0xffff);
    const auto value = event_value(bytes.substr(0, begin + DiskImage::page_bytes), cell);
    if (value) values.push_back(*value);
  }
}

// A byte of a database in a page that is not in its WAL: of an event if there is one, or any.
std::optional<std::uint64_t> exposed_byte(const DiskImage& disk, const std::string& path,
                                          bool of_event, RandomStream& random) {
  const auto& bytes = disk.find(path)->bytes;
  const auto wal = disk.find(path + "-wal");
  const auto hidden = pages_of_wal(wal ? std::string_view{wal->bytes} : std::string_view{});
  std::vector<Span> events;
  std::vector<Span> pages;
  for (std::uint64_t page = 0; page < bytes.size() / DiskImage::page_bytes; ++page) {
    if (hidden.contains(page + 1)) continue;
    pages.push_back({page * DiskImage::page_bytes, DiskImage::page_bytes});
    if (of_event) add_event_values(bytes, page, events);
  }
  const auto& spans = events.empty() ? pages : events;
  if (spans.empty()) return std::nullopt;
  const auto& span = spans[random.between(0, spans.size() - 1)];
  return span.begin + random.between(0, span.size - 1);
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
  const auto aim = target == RotTarget::shard_file ? random.between(0, 3) : 0;
  const bool aimed = aim > 0;
  if (aimed) std::erase_if(paths, [](const auto& path) { return path.ends_with("-wal"); });
  if (paths.empty()) return std::nullopt;
  const auto& path = paths[random.between(0, paths.size() - 1)];
  const auto exposed = aimed ? exposed_byte(disk, path, aim > 1, random) : std::nullopt;
  const auto offset = exposed ? *exposed : written_byte(disk.find(path)->bytes, random);
  disk.rot(path, offset, static_cast<std::uint8_t>(1U << random.between(0, 7)));
  return path + '@' + std::to_string(offset);
}

}  // namespace troupe::simulations
