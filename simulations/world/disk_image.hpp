// What is on a machine's disk, as its processes see it and as a crash would leave it.
//
// Every file remembers, for each 4 KiB page written since its last sync, what the page held at that
// sync. A crash draws for every such page whether it is new, old, or torn: each 512-byte sector new
// or old. Bytes that were not written are never harmed (POWERSAFE_OVERWRITE). A page that was
// written several times since the sync holds its last version or its old one, none between. A
// change of the file's length that was not synced may be lost, too.
//
// Names are a matter of the folder: a file that was created or removed is so for certain only once
// the folder is synced, whatever became of the file's content.
//
// Paths are absolute and normal ("/data/log/1.db"); `normal()` makes them so.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "simulations/world/random.hpp"

namespace troupe::simulations {

class DiskImage {
 public:
  static constexpr std::uint64_t page_bytes = 4096;
  static constexpr std::uint64_t sector_bytes = 512;

  // SQLite's advisory locks: any number of readers, and one writer that reserves, waits for the
  // readers (pending), and then has the file for itself. Owners are compared, never used.
  struct Locks {
    unsigned readers = 0;
    const void* writer = nullptr;
    int writer_level = 0;  // SQLITE_LOCK_*
  };

  struct File {
    std::string bytes;  // what a reader sees
    Locks locks;

    // For the image.
    std::uint64_t durable_size = 0;
    std::map<std::uint64_t, std::string> undo;  // page number -> the page at the last sync
  };
  using FilePtr = std::shared_ptr<File>;

  DiskImage() { folders_.insert("/"); }

  static std::string normal(std::string_view path);
  static std::string folder_of(const std::string& path);

  // --- names ------------------------------------------------------------------------------------
  FilePtr find(const std::string& path) const;  // null: there is none
  bool is_folder(const std::string& path) const { return folders_.contains(path); }
  std::vector<std::string> list(const std::string& folder) const;  // sorted names
  std::vector<std::string> files() const;                          // sorted paths, of all

  // Durable at once, parents included. False if a file is in the way.
  bool create_folders(const std::string& path);
  void remove_folder(const std::string& path) { folders_.erase(path); }

  // Durable with the next sync_folder(). The folder must exist.
  FilePtr create(const std::string& path);
  void put(const std::string& path, FilePtr file);
  void remove(const std::string& path);
  void sync_folder(const std::string& folder);

  // --- content ----------------------------------------------------------------------------------
  // Bytes on the disk, in whole pages, and how many there may be. Lower it to fill the disk.
  std::uint64_t used_bytes() const;
  std::uint64_t quota_bytes = UINT64_MAX;

  // How many of the bytes were written: fewer than there are when the disk is full.
  std::uint64_t write(File& file, std::uint64_t offset, std::string_view bytes);
  void truncate(File& file, std::uint64_t size);
  static void sync(File& file);

  // Bit rot: flips bits of one byte, whether synced or not. False if there is no such byte.
  bool rot(const std::string& path, std::uint64_t offset, std::uint8_t bits);

  // --- for owners of folders --------------------------------------------------------------------
  std::set<std::string> locked_folders;

  // The process is gone and its locks with it. What it wrote stays, synced or not, as in the
  // system's cache.
  void process_died();

  // The machine lost its power.
  void crash(RandomStream random);

 private:
  using Names = std::map<std::string, FilePtr>;

  static void remember(File& file, std::uint64_t offset, std::uint64_t size);
  void crash_names(RandomStream& random);
  static void crash_file(File& file, RandomStream& random);

  std::set<std::string> folders_;
  Names names_;    // as processes see them
  Names durable_;  // as of the last sync of each folder
};

}  // namespace troupe::simulations
