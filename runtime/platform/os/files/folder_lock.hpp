// One process at a time owns a data folder: flock(2) on a file in it, which the kernel releases
// however the process ends. The file holds the owner's pid, for the message of whoever comes
// second.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "runtime/platform/disk.hpp"

namespace troupe::runtime {

inline constexpr std::string_view folder_lock_name = ".lock";

Result<std::unique_ptr<FolderLock>> lock_folder(const std::string& folder);

}  // namespace troupe::runtime
