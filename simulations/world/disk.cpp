#include "simulations/world/disk.hpp"

#include "simulations/world/vfs.hpp"

namespace troupe::simulations {

namespace {

Error disk_error(const std::string& path, std::string_view what) {
  return unavailable("DISK_IO",
                     path + ": " + std::string{what} + " failed; the disk reported an I/O error");
}

Error missing(const std::string& path) {
  return not_found(path + ": no such file or folder; create it first or check the path");
}

class SimFolderLock final : public runtime::FolderLock {
 public:
  SimFolderLock(DiskImage& image, std::string folder) : image_(image), folder_(std::move(folder)) {
    image_.locked_folders.insert(folder_);
  }
  ~SimFolderLock() override { image_.locked_folders.erase(folder_); }

 private:
  DiskImage& image_;
  std::string folder_;
};

}  // namespace

SimDisk::SimDisk(std::shared_ptr<Life> life, const SimClock& clock, DiskImage& image,
                 DiskFaults& faults)
    : life_(std::move(life)),
      clock_(clock),
      image_(image),
      faults_(faults),
      random_(life_->stream(Domain::disk)),
      vfs_(std::make_unique<SqliteVfs>(*this)) {}

SimDisk::~SimDisk() = default;

const char* SimDisk::sqlite_vfs() const {
  return vfs_->name();
}

bool SimDisk::fails(Call call) {
  if (life_->over()) return true;
  if (call != Call::read && faults_.power_cut_after) {
    if (*faults_.power_cut_after == 0) {
      faults_.power_cut_after.reset();
      life_->crash(unavailable("POWER_CUT", "the machine lost its power"));
      return true;
    }
    --*faults_.power_cut_after;
  }
  const auto millionths = call == Call::read    ? faults_.read_errors
                          : call == Call::write ? faults_.write_errors
                                                : faults_.sync_errors;
  return millionths != 0 && random_.chance(millionths);
}

Result<void> SimDisk::create_folders(const std::string& given) {
  const auto path = DiskImage::normal(given);
  if (fails(Call::write)) return disk_error(path, "creating the folder");
  life_->record("disk.mkdir", path);
  if (!image_.create_folders(path)) return disk_error(path, "creating the folder over a file");
  return {};
}

Result<std::vector<std::string>> SimDisk::list(const std::string& given) {
  const auto folder = DiskImage::normal(given);
  if (fails(Call::read)) return disk_error(folder, "listing the folder");
  if (!image_.is_folder(folder)) return missing(folder);
  return image_.list(folder);
}

Result<bool> SimDisk::exists(const std::string& given) {
  const auto path = DiskImage::normal(given);
  if (fails(Call::read)) return disk_error(path, "looking for the file");
  return image_.is_folder(path) || image_.find(path) != nullptr;
}

Result<std::uint64_t> SimDisk::size(const std::string& given) {
  const auto path = DiskImage::normal(given);
  if (fails(Call::read)) return disk_error(path, "looking for the file");
  const auto file = image_.find(path);
  if (!file) return missing(path);
  return std::uint64_t{file->bytes.size()};
}

Result<std::string> SimDisk::read(const std::string& given) {
  const auto path = DiskImage::normal(given);
  if (fails(Call::read)) return disk_error(path, "reading");
  const auto file = image_.find(path);
  if (!file) return missing(path);
  return file->bytes;
}

Result<void> SimDisk::replace(const std::string& path, std::string bytes, std::string_view what) {
  if (fails(Call::write) || image_.is_folder(path)) return disk_error(path, what);
  const auto folder = DiskImage::folder_of(path);
  if (!image_.is_folder(folder)) return missing(folder);
  auto file = std::make_shared<DiskImage::File>();
  if (image_.write(*file, 0, bytes) < bytes.size()) {
    return resource_exhausted("DISK_FULL", path + ": no space for " + std::to_string(bytes.size()) +
                                               " bytes; free some space on the disk");
  }
  life_->record("disk.replace", path, bytes);
  DiskImage::sync(*file);
  image_.put(path, std::move(file));
  image_.sync_folder(folder);
  return {};
}

Result<void> SimDisk::write(const std::string& path, std::string_view bytes) {
  return replace(DiskImage::normal(path), std::string{bytes}, "writing");
}

Result<void> SimDisk::allocate(const std::string& path, std::uint64_t bytes) {
  return replace(DiskImage::normal(path), std::string(bytes, '\0'), "allocating");
}

Result<void> SimDisk::remove(const std::string& given) {
  const auto path = DiskImage::normal(given);
  if (fails(Call::write)) return disk_error(path, "removing");
  if (image_.is_folder(path)) {
    if (!image_.list(path).empty()) return disk_error(path, "removing a folder that is not empty");
    image_.remove_folder(path);
  } else {
    image_.remove(path);
    image_.sync_folder(DiskImage::folder_of(path));
  }
  life_->record("disk.remove", path);
  return {};
}

Result<void> SimDisk::rename(const std::string& given_from, const std::string& given_to) {
  const auto from = DiskImage::normal(given_from);
  const auto to = DiskImage::normal(given_to);
  if (fails(Call::write)) return disk_error(from, "renaming");
  if (from == to) return {};
  const auto file = image_.find(from);
  if (!file) {
    return image_.is_folder(from) ? disk_error(from, "renaming a folder (files only)")
                                  : missing(from);
  }
  const auto folder = DiskImage::folder_of(to);
  if (!image_.is_folder(folder)) return missing(folder);
  life_->record("disk.rename", from, to);
  image_.put(to, file);
  image_.remove(from);
  image_.sync_folder(folder);
  image_.sync_folder(DiskImage::folder_of(from));
  return {};
}

Result<std::unique_ptr<runtime::FolderLock>> SimDisk::lock(const std::string& given) {
  const auto folder = DiskImage::normal(given);
  if (fails(Call::read)) return disk_error(folder, "locking");
  if (!image_.is_folder(folder)) return missing(folder);
  if (image_.locked_folders.contains(folder)) {
    return failed_precondition("FOLDER_IN_USE",
                               folder + " is in use by another node; give each its own folder");
  }
  return std::unique_ptr<runtime::FolderLock>(new SimFolderLock(image_, folder));
}

}  // namespace troupe::simulations
