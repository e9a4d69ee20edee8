#include "cluster/cli/command/version.hpp"

#include <google/protobuf/stubs/common.h>
#include <openssl/crypto.h>
#include <sqlite3.h>

#include <boost/version.hpp>
#include <caf/config.hpp>

#include "cluster/cli/command/build_info.hpp"

namespace troupe::cluster {
namespace {

std::string dotted(int major, int minor, int patch) {
  return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
}

}  // namespace

std::string version() {
  return build_info::version;
}

std::string version_text() {
  return std::string{"troupe "} + build_info::version + " (" + build_info::commit + ")\n" +
         "compiler  g++ " + __VERSION__ + ", " + build_info::build_type + "\n" + "CAF       " +
         dotted(CAF_MAJOR_VERSION, CAF_MINOR_VERSION, CAF_PATCH_VERSION) + "\n" + "C-Raft    " +
         build_info::raft + "\n" + "SQLite    " + sqlite3_libversion() + "\n" + "Protobuf  " +
         google::protobuf::internal::VersionString(GOOGLE_PROTOBUF_VERSION) + "\n" + "Boost     " +
         dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100) + "\n" +
         "OpenSSL   " + OpenSSL_version(OPENSSL_VERSION_STRING);
}

}  // namespace troupe::cluster
