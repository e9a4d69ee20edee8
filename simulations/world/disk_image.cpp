#include "simulations/world/disk_image.hpp"

#include <algorithm>
#include <filesystem>

#include "simulations/world/check.hpp"

namespace troupe::simulations {

std::string DiskImage::normal(std::string_view path) {
  const auto absolute = std::filesystem::path{"/"} / path;
  auto text = absolute.lexically_normal().string();
  if (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text;
}

std::string DiskImage::folder_of(const std::string& path) {
  return std::filesystem::path{path}.parent_path().string();
}

DiskImage::FilePtr DiskImage::find(const std::string& path) const {
  const auto found = names_.find(path);
  return found == names_.end() ? nullptr : found->second;
}

std::vector<std::string> DiskImage::list(const std::string& folder) const {
  std::vector<std::string> result;
  const auto add = [&](const std::string& path) {
    if (path != folder && folder_of(path) == folder) {
      result.push_back(std::filesystem::path{path}.filename().string());
    }
  };
  for (const auto& path : folders_) add(path);
  for (const auto& [path, file] : names_) add(path);
  std::sort(result.begin(), result.end());
  return result;
}

std::vector<std::string> DiskImage::files() const {
  std::vector<std::string> result;
  for (const auto& [path, file] : names_) result.push_back(path);
  return result;
}

bool DiskImage::create_folders(const std::string& path) {
  if (names_.contains(path)) return false;
  if (folders_.contains(path)) return true;
  if (!create_folders(folder_of(path))) return false;
  folders_.insert(path);
  return true;
}

DiskImage::FilePtr DiskImage::create(const std::string& path) {
  auto file = std::make_shared<File>();
  put(path, file);
  return file;
}

void DiskImage::put(const std::string& path, FilePtr file) {
  check(is_folder(folder_of(path)), "a file was made in a folder that does not exist: " + path);
  names_[path] = std::move(file);
}

void DiskImage::remove(const std::string& path) {
  names_.erase(path);
}

void DiskImage::sync_folder(const std::string& folder) {
  std::erase_if(durable_, [&](const auto& entry) { return folder_of(entry.first) == folder; });
  for (const auto& [path, file] : names_) {
    if (folder_of(path) == folder) durable_[path] = file;
  }
}

std::uint64_t DiskImage::used_bytes() const {
  std::uint64_t pages = 0;
  for (const auto& [path, file] : names_) {
    pages += (file->bytes.size() + page_bytes - 1) / page_bytes;
  }
  return pages * page_bytes;
}

std::uint64_t DiskImage::write(File& file, std::uint64_t offset, std::string_view bytes) {
  std::uint64_t end = offset + bytes.size();
  if (quota_bytes != UINT64_MAX && end > file.bytes.size()) {
    // Pages that the file has may be filled; more only as far as they are free.
    const auto used = used_bytes();
    const auto free = quota_bytes > used ? (quota_bytes - used) / page_bytes * page_bytes : 0;
    const auto own = (file.bytes.size() + page_bytes - 1) / page_bytes * page_bytes;
    end = std::min(end, own + free);
    if (end <= offset) return 0;
    bytes = bytes.substr(0, end - offset);
  }
  remember(file, offset, bytes.size());
  if (file.bytes.size() < end) file.bytes.resize(end, '\0');
  file.bytes.replace(offset, bytes.size(), bytes);
  return bytes.size();
}

void DiskImage::truncate(File& file, std::uint64_t size) {
  if (size < file.bytes.size()) remember(file, size, file.bytes.size() - size);
  file.bytes.resize(size, '\0');
}

void DiskImage::sync(File& file) {
  file.undo.clear();
  file.durable_size = file.bytes.size();
}

bool DiskImage::rot(const std::string& path, std::uint64_t offset, std::uint8_t bits) {
  const auto file = find(path);
  if (!file || offset >= file->bytes.size()) return false;
  const auto flip = [&](char& byte) { byte = static_cast<char>(byte ^ bits); };
  flip(file->bytes[offset]);
  const auto old = file->undo.find(offset / page_bytes);
  if (old != file->undo.end()) flip(old->second[offset % page_bytes]);
  return true;
}

// Keeps the pages of a range that is about to change, unless they changed since the last sync.
void DiskImage::remember(File& file, std::uint64_t offset, std::uint64_t size) {
  if (size == 0) return;
  for (auto page = offset / page_bytes; page <= (offset + size - 1) / page_bytes; ++page) {
    const auto place = file.undo.lower_bound(page);
    if (place != file.undo.end() && place->first == page) continue;
    std::string old(page_bytes, '\0');
    const auto begin = page * page_bytes;
    if (begin < file.bytes.size()) file.bytes.copy(old.data(), page_bytes, begin);
    file.undo.emplace_hint(place, page, std::move(old));
  }
}

void DiskImage::process_died() {
  for (const auto& [path, file] : names_) file->locks = {};
  for (const auto& [path, file] : durable_) file->locks = {};
  locked_folders.clear();
}

void DiskImage::crash(RandomStream random) {
  crash_names(random);
  std::set<const File*> done;  // a file may have two names; only asked, never iterated
  for (const auto& [path, file] : names_) {
    if (done.insert(file.get()).second) crash_file(*file, random);
  }
  durable_ = names_;
  process_died();
}

// Every name that changed since its folder was synced is as it was, as it is, or gone, if both a
// removal and a creation may be lost.
void DiskImage::crash_names(RandomStream& random) {
  Names all = durable_;
  all.insert(names_.begin(), names_.end());
  for (const auto& [path, unused] : all) {
    const auto old_file = durable_.contains(path) ? durable_.at(path) : nullptr;
    const auto new_file = find(path);
    if (old_file == new_file) continue;
    FilePtr choices[] = {old_file, new_file, nullptr};
    const bool replaced = old_file && new_file;
    const auto chosen = choices[random.between(0, replaced ? 2 : 1)];
    if (chosen) {
      names_[path] = chosen;
    } else {
      names_.erase(path);
    }
  }
}

void DiskImage::crash_file(File& file, RandomStream& random) {
  enum Fate : std::uint64_t { lost, kept, torn };
  const auto mood = random.between(0, 3);  // all lost, all kept, or (twice as likely) mixed
  const std::uint64_t seen_size = file.bytes.size();
  // A length that shrank is the old one or the new one; one that grew reaches as far as what was
  // kept of it.
  std::uint64_t size = std::min(file.durable_size, seen_size);
  if (mood == kept) size = seen_size;
  if (mood == lost || (mood > kept && seen_size < file.durable_size && random.between(0, 1) == 0)) {
    size = file.durable_size;
  }
  file.bytes.resize(std::max(file.durable_size, seen_size), '\0');
  for (const auto& [page, old] : file.undo) {
    const auto fate = mood <= kept ? mood : random.between(lost, torn);
    for (std::uint64_t sector = 0; sector < page_bytes; sector += sector_bytes) {
      const auto begin = page * page_bytes + sector;
      if (begin >= file.bytes.size()) break;
      const auto end = std::min<std::uint64_t>(begin + sector_bytes, file.bytes.size());
      const bool is_new = fate == kept || (fate == torn && random.between(0, 1) == 0);
      if (is_new) size = std::max(size, std::min(end, seen_size));
      // Past the end that was seen there is nothing new to keep.
      const auto from = is_new ? std::max(begin, seen_size) : begin;
      if (from < end) {
        file.bytes.replace(from, end - from, old, from - page * page_bytes, end - from);
      }
    }
  }
  file.bytes.resize(size);
  sync(file);
}

}  // namespace troupe::simulations
