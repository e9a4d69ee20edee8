#include "cluster/data_folder.hpp"

namespace troupe::cluster {

Result<DataFolder> DataFolder::open(runtime::Disk& disk, const std::string& path,
                                    const std::string& cluster, const std::string& node) {
  TROUPE_CHECK(disk.create_folders(path));
  TROUPE_TRY(lock, disk.lock(path));
  const std::string file = path + "/node.txt";
  const std::string identity = "cluster " + cluster + "\nnode " + node + "\n";
  TROUPE_TRY(known, disk.exists(file));
  if (known) {
    TROUPE_TRY(written, disk.read(file));
    if (written != identity)
      return failed_precondition(
          "FOLDER_FOREIGN", path + " is not this node's: " + file + " says\n" + written +
                                "but this is\n" + identity + "give the node a folder of its own");
  } else {
    TROUPE_CHECK(disk.write(file, identity));
  }
  DataFolder folder{path, std::move(lock)};
  TROUPE_CHECK(disk.create_folders(folder.log()));
  TROUPE_CHECK(disk.create_folders(folder.shards()));
  return folder;
}

}  // namespace troupe::cluster
