// Text that is not TOML is reported, left out, and the rest is read.
#include "support.hpp"

namespace troupe::config {

TEST_CASE("several syntax errors and a mistake beside them are found in one run") {
  CHECK(problems(R"([cluster
name = "x"
[[nodes]]
name = n1
mesh = "127.0.0.1:7400
roles = ["control",
admin = "127.0.0.1:7480"
colour = 1
colour = 2
data = "unclosed
[gateway]
idle_timeout = 10s
connections = "many"
)") == R"(m.toml:1:9: not TOML: expected ']', saw '\n'
    close the heading with ], or ]] for [[nodes]]
m.toml:4:8: not a value of TOML
    write texts, addresses, durations and sizes in quotes
m.toml:5:8: not TOML: unescaped control characters other than TAB (U+0009) are explicitly prohibited
    close the string with a quote before the line ends
m.toml:6:1: not TOML: what begins here does not end
    close the string, the array or the table
m.toml:8:1: nodes[0].colour: unknown key
    known here: name, mesh, gateway, grpc, admin, data, roles, labels, services
m.toml:9:1: not TOML: cannot redefine existing integer 'colour'
    write it once; [[nodes]] in double brackets begins another node
m.toml:10:8: not TOML: unescaped control characters other than TAB (U+0009) are explicitly prohibited
    close the string with a quote before the line ends
m.toml:12:16: not a value of TOML
    write texts, addresses, durations and sizes in quotes
m.toml:13:15: gateway.connections: expected an integer, found the string "many"
    write a whole number from 1 to 1000000
)");
}

TEST_CASE("what is missing because of a syntax error is not complained about") {
  CHECK(problems("[cluster]\nname = test\n") == R"(m.toml:2:8: not a value of TOML
    write texts, addresses, durations and sizes in quotes
)");
}

TEST_CASE("a string that swallows the rest of the file is reported where it begins") {
  CHECK(problems(smallest + R"(data = """./data
roles = ["control", "worker"]
[log]
level = "loud"
)") == R"(m.toml:7:1: not TOML: what begins here does not end
    close the string, the array or the table
m.toml:10:9: log.level: "loud" is not one of "debug", "info", "warn", "error"
    write one of "debug", "info", "warn", "error"
)");
}

TEST_CASE("a section that stands twice is reported at the second one") {
  CHECK(problems(smallest + "[log]\nlevel = \"info\"\n[log]\nformat = \"yaml\"\n") ==
        R"(m.toml:9:1: not TOML: cannot redefine existing table 'log'
    write it once; [[nodes]] in double brackets begins another node
)");
}

TEST_CASE("any prefix of a manifest gives problems with places inside it, and ends") {
  const std::string text = read_source("config/examples/single.toml");
  for (std::size_t length = 0; length < text.size(); ++length) {
    const auto loaded = load_manifest(text.substr(0, length), "m.toml", nothing_set);
    if (loaded) continue;
    const auto lines = std::count(text.begin(), text.begin() + static_cast<long>(length), '\n') + 1;
    CHECK(!loaded.error().empty());
    for (const auto& problem : loaded.error()) {
      CHECK(problem.line >= 1);
      CHECK(problem.line <= lines);
      CHECK(problem.column >= 1);
    }
  }
}

TEST_CASE("headings that are no names are refused") {
  for (const std::string heading : {"[.]", "[=]", "[[[a]]]", "[]", "[a.]", "[[a]", "[\xc3\xb1]"})
    CHECK_MESSAGE(problems(heading + "\n").starts_with("m.toml:1:"), heading);
}

TEST_CASE("bytes that are no text at all are refused") {
  CHECK(problems(std::string("\0\xff\xfe[[[", 6)) != "");
  CHECK(problems(std::string(100'000, '[')) != "");
}

}  // namespace troupe::config
