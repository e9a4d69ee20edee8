// What the tests of the simulator share.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "simulations/world/world.hpp"

namespace troupe::simulations {

using namespace std::chrono_literals;

// A process without actors, for tests of a platform's parts.
inline StartProcess bare_process() {
  struct Bare final : SimulatedProcess {
    void stop() override {}
  };
  return [](runtime::Platform&) -> Result<std::unique_ptr<SimulatedProcess>> {
    return std::unique_ptr<SimulatedProcess>(new Bare);
  };
}

// A connection to SQLite through a node's VFS. Errors come back as SQLite's codes.
class Sqlite {
 public:
  Sqlite(runtime::Disk& disk, const std::string& path) {
    opened = sqlite3_open_v2(path.c_str(), &handle_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                             disk.sqlite_vfs());
    sqlite3_extended_result_codes(handle_, 1);
  }
  ~Sqlite() { sqlite3_close(handle_); }
  Sqlite(const Sqlite&) = delete;
  Sqlite& operator=(const Sqlite&) = delete;

  int opened = SQLITE_OK;

  int run(const std::string& sql) {
    return sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
  }

  // The first column of every row. Throws on an error.
  std::vector<std::string> query(const std::string& sql) {
    std::vector<std::string> rows;
    const auto add = [](void* out, int, char** values, char**) {
      static_cast<std::vector<std::string>*>(out)->emplace_back(values[0] ? values[0] : "");
      return 0;
    };
    const int code = sqlite3_exec(handle_, sql.c_str(), add, &rows, nullptr);
    if (code != SQLITE_OK) throw std::runtime_error{sql + ": " + sqlite3_errmsg(handle_)};
    return rows;
  }

 private:
  sqlite3* handle_ = nullptr;
};

}  // namespace troupe::simulations
