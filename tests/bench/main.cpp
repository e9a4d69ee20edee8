// troupe-bench: every figure beside its yardstick, measured in the same run.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <filesystem>

#include "tests/bench/beast.hpp"
#include "tests/bench/cluster/echo.hpp"
#include "tests/bench/figure.hpp"

int main(int argc, char** argv) {
  using namespace troupe::bench;
  std::vector<NamedPart> parts;
  for (auto made : {durable_parts(), read_parts(), http_parts(), grpc_parts(), overload_parts(),
                    footprint_parts(), replicated_parts(), link_parts(), scale_parts()})
    parts.insert(parts.end(), made.begin(), made.end());

  CLI::App app{
      "Measures Troupe beside its yardsticks, in the same run, and says which goals are met."};
  Options options;
  bool json = false, list = false;
  std::vector<std::string> names;
  options.binary = (std::filesystem::path(argv[0]).parent_path() / "troupe").string();
  options.scratch = (std::filesystem::current_path() / "build" / "bench").string();
  app.add_option("parts", names, "parts to run; without names all of them");
  app.add_flag("--json", json, "print JSON instead of a table");
  app.add_flag("--list", list, "list the parts and end");
  app.add_option("--runs", options.runs, "runs of each loop (default 5)")
      ->check(CLI::PositiveNumber);
  app.add_option("--seconds", options.seconds, "length of one loop (default 3)")
      ->check(CLI::PositiveNumber);
  app.add_option("--scratch", options.scratch, "folder on the disk to measure");
  app.add_flag("--ours-only", options.ours_only,
               "measure no other programs, in parts with servers: for profiles");
  std::vector<std::string> serve;  // how this program starts servers of its own
  app.add_option("--serve", serve)->group("");
  CLI11_PARSE(app, argc, argv);
  options.self = argv[0];
  if (!serve.empty() && serve.front() == "beast")
    return serve_beast(static_cast<unsigned short>(std::stoi(serve.at(1))));
  if (!serve.empty()) return serve_echo(serve);

  if (list) {
    for (const NamedPart& part : parts)
      std::printf("%-21s %s\n", part.name.c_str(), part.about.c_str());
    return 0;
  }
  for (const std::string& name : names) {
    bool known = false;
    for (const NamedPart& part : parts) known = known || part.name == name;
    if (!known) {
      std::fprintf(stderr, "troupe-bench: there is no part '%s'; --list names them\n",
                   name.c_str());
      return 2;
    }
  }
  std::filesystem::create_directories(options.scratch);
  std::filesystem::permissions(
      options.scratch, std::filesystem::perms::others_exec | std::filesystem::perms::others_read,
      std::filesystem::perm_options::add);
  std::vector<Figure> figures;
  bool all_met = true;
  for (const NamedPart& part : parts) {
    if (!names.empty() && std::find(names.begin(), names.end(), part.name) == names.end()) continue;
    std::fprintf(stderr, "%s: %s\n", part.name.c_str(), part.about.c_str());
    try {
      for (Figure& figure : part.run(options)) figures.push_back(std::move(figure));
    } catch (const std::exception& failure) {  // what the other parts measured is not lost
      std::fprintf(stderr, "troupe-bench: %s: %s\n", part.name.c_str(), failure.what());
      all_met = false;
    }
  }
  if (json)
    print_json(figures);
  else
    print_table(figures);
  for (const Figure& figure : figures) all_met = all_met && figure.met();
  return all_met ? 0 : 1;
}
