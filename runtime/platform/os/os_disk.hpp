// Files of the operating system (POSIX, Linux).
//
// Two kinds of files belong to the disk itself and do not appear in list(): ".lock", which a
// FolderLock holds, and "NAME.unfinished", which write() leaves when the process dies under it and
// the next write() of NAME takes away. Folders are made with mode 0750 and files with 0640, less
// the process's umask.
#pragma once

#include <memory>

#include "runtime/platform/disk.hpp"

namespace troupe::runtime {

std::unique_ptr<Disk> make_os_disk();

}  // namespace troupe::runtime
