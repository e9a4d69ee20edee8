#include "domains/kit/new_context.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/text_file.hpp"
#include "config/problem.hpp"
#include "domains/kit/templates.hpp"

namespace troupe::kit {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view placeholder = "newcontext";
constexpr std::size_t name_bytes_max = 40;

// What C++, its library and C's in the global namespace, Protobuf or CMake have already.
constexpr auto taken = std::to_array<std::string_view>(
    {"abort",     "accept",    "access",   "alarm",       "alignas",  "alignof",  "all",
     "and",       "and_eq",    "asm",      "assert",      "auto",     "bind",     "bitand",
     "bitor",     "bool",      "break",    "build",       "case",     "catch",    "char",
     "class",     "clean",     "clock",    "close",       "compl",    "concept",  "connect",
     "const",     "continue",  "daemon",   "data",        "decltype", "default",  "delete",
     "depend",    "div",       "do",       "double",      "dup",      "else",     "enum",
     "environ",   "errno",     "exit",     "explicit",    "export",   "extern",   "false",
     "float",     "for",       "fork",     "free",        "friend",   "google",   "goto",
     "help",      "if",        "index",    "inline",      "install",  "int",      "kill",
     "link",      "linux",     "listen",   "log",         "long",     "main",     "mutable",
     "namespace", "new",       "noexcept", "not",         "not_eq",   "nullptr",  "open",
     "operator",  "or",        "or_eq",    "package",     "pause",    "pipe",     "poll",
     "private",   "protected", "public",   "raise",       "random",   "read",     "register",
     "remove",    "rename",    "requires", "return",      "select",   "send",     "short",
     "shutdown",  "signal",    "signed",   "simulations", "sizeof",   "sleep",    "socket",
     "stat",      "static",    "std",      "stderr",      "stdin",    "stdout",   "struct",
     "switch",    "sync",      "system",   "template",    "test",     "tests",    "this",
     "throw",     "time",      "times",    "troupe",      "true",     "truncate", "try",
     "typedef",   "typeid",    "typename", "union",       "unix",     "unsigned", "using",
     "v1",        "virtual",   "void",     "volatile",    "wait",     "while",    "write",
     "xor",       "xor_eq"});

static_assert(std::ranges::is_sorted(taken));

bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}

std::string with_name(std::string_view text, const std::string& name) {
  std::string result;
  for (std::size_t at = 0;;) {
    const auto found = text.find(placeholder, at);
    result += text.substr(at, found - at);
    if (found == std::string_view::npos) return result;
    result += name;
    at = found + placeholder.size();
  }
}

// Empty, or why nothing can be written there.
std::string why_no_folder(const fs::path& folder) {
  std::error_code error;
  const auto status = fs::symlink_status(folder, error);
  if (!fs::exists(status)) return "";
  const auto other = "; --folder names another place";
  if (!fs::is_directory(folder, error)) return folder.string() + " is there already" + other;
  const bool empty = fs::is_empty(folder, error);
  if (error) return "cannot read " + folder.string() + ": " + error.message();
  return empty ? "" : folder.string() + " is there already, and not empty" + other;
}

int fail(const cluster::CliIo& io, const std::string& why, int status) {
  *io.err << "troupe: " << cluster::harmless(why) << "\n";
  return status;
}

}  // namespace

std::string why_no_name(const std::string& name) {
  const bool spelt =
      !name.empty() && is_lower(name.front()) && std::ranges::all_of(name, [](char c) {
        return is_lower(c) || (c >= '0' && c <= '9') || c == '_';
      });
  // Two underscores, or one at the end, C++ or the names that are made of it have for themselves.
  if (!spelt || name.size() > name_bytes_max || name.ends_with('_') ||
      name.find("__") != std::string::npos)
    return "a context cannot be named " + config::in_quotes(name) +
           "; write a word of 1 to 40 lower-case letters, digits and single underscores that "
           "begins with a letter, as \"billing\"";
  if (name.starts_with("troupe") || std::ranges::binary_search(taken, std::string_view{name}))
    return "a context cannot be named " + config::in_quotes(name) +
           ", which means something else to C++, Protobuf or CMake; take another word, as \"my_" +
           name + "\"";
  return "";
}

int new_context(const cluster::CliIo& io, const cluster::NewContextOptions& options) {
  if (const auto why = why_no_name(options.name); !why.empty())
    return fail(io, why, cluster::exit_usage);
  const fs::path folder = options.folder.empty() ? options.name : options.folder;
  if (const auto why = why_no_folder(folder); !why.empty())
    return fail(io, why, cluster::exit_failed);

  for (const auto& file : context_templates()) {
    const auto path = folder / with_name(file.path, options.name);
    std::error_code error;
    fs::create_directories(path.parent_path(), error);
    auto why =
        error ? "cannot make " + path.parent_path().string() + ": " + error.message()
              : cluster::write_text_file(path.string(), with_name(file.text, options.name), 0644);
    if (!why.empty()) return fail(io, why, cluster::exit_failed);
    *io.out << cluster::harmless(path.string()) << "\n";
  }
  *io.err << "Next:\n  cd " << cluster::harmless(folder.string())
          << "\n  cmake -S . -B build && cmake --build build -j 2\n"
             "  ctest --test-dir build\n"
             "README.md there says how to run and simulate it.\n";
  return cluster::exit_done;
}

}  // namespace troupe::kit
