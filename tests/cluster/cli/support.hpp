// Runs the `troupe` command in this process, with what it writes captured.
#pragma once

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <initializer_list>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "cluster/cli/cluster_hooks.hpp"
#include "cluster/cli/command/cli.hpp"

namespace troupe::cluster {

struct Ran {
  int status = -1;
  std::string out, err;
};

// The clusters of tests are created on the real disk.
inline CliHooks test_hooks(
    std::function<int(const config::Manifest& manifest, const std::string& node)> run_node) {
  CliHooks hooks;
  hooks.run_node = std::move(run_node);
  hooks.services = {"banking.v1.Accounts", "commerce.v1.Catalog", "commerce.v1.Inventory",
                    "commerce.v1.Orders"};
  static const actors::ServiceRegistry none;
  add_cluster_hooks(hooks, none);
  return hooks;
}

struct Command {
  std::map<std::string, std::string> environment;
  bool colour = false;
  bool unicode = true;
  std::string typed = {};  // on standard input
  std::string program = "troupe";
  CliHooks hooks = test_hooks([](const config::Manifest&, const std::string&) { return 0; });

  Ran run(std::vector<std::string> words) const {
    words.insert(words.begin(), program);
    std::vector<const char*> argv;
    for (const auto& word : words) argv.push_back(word.c_str());
    std::ostringstream out, err;
    std::istringstream in{typed};
    CliIo io;
    io.program = program;
    io.out = &out;
    io.err = &err;
    io.in = &in;
    io.colour = colour;
    io.unicode = unicode;
    io.environment = [this](const std::string& name) -> std::optional<std::string> {
      const auto found = environment.find(name);
      if (found == environment.end()) return std::nullopt;
      return found->second;
    };
    const int status = run_cli(static_cast<int>(argv.size()), argv.data(), hooks, io);
    return {status, out.str(), err.str()};
  }
};

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// A folder that is gone at the end of the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "troupe-cli-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  std::string write(const std::string& name, const std::string& text) const {
    const auto file = path_ / name;
    std::ofstream{file} << text;
    return file.string();
  }
  std::string path() const { return path_.string(); }
  bool has(const std::string& file) const { return std::filesystem::exists(path_ / file); }

 private:
  std::filesystem::path path_;
};

inline std::string example(const std::string& name) {
  return std::string{TROUPE_SOURCE_FOLDER} + "/config/examples/" + name;
}

}  // namespace troupe::cluster
