// What is typed, what is wrong with it, and the exit status.
#include "support.hpp"

namespace troupe::cluster {

TEST_CASE("no command at all shows the help on standard error and is a wrong command line") {
  const Ran ran = Command{}.run({});
  CHECK(ran.status == 2);
  CHECK(ran.out.empty());
  CHECK(contains(ran.err, "Usage: troupe"));
}

TEST_CASE("--help is there for every command, with examples, on standard output") {
  for (const std::string command : {"up", "node", "init", "check", "status", "tree", "shards"}) {
    const Ran ran = Command{}.run({command, "--help"});
    CHECK(ran.status == 0);
    CHECK(ran.err.empty());
    CHECK(contains(ran.out, "Usage: troupe " + command));
    CHECK(contains(ran.out, "Examples:\n  troupe " + command));
  }
  const Ran ran = Command{}.run({"--help"});
  CHECK(ran.status == 0);
  CHECK(contains(ran.out, "Exit status: 0 done, 1 failed, 2 wrong command line or manifest."));
}

TEST_CASE("a word for a shell is quoted where it needs to be") {
  CHECK(shell_word("config/a-b_c.toml") == "config/a-b_c.toml");
  CHECK(shell_word("") == "''");
  CHECK(shell_word("it's $HOME") == "'it'\\''s $HOME'");
}

TEST_CASE("--version names this build and what it stands on") {
  const Ran ran = Command{}.run({"--version"});
  CHECK(ran.status == 0);
  CHECK(ran.out.starts_with("troupe 0."));
  for (const char* part :
       {"compiler", "CAF       0.17.6", "SQLite    3.", "Protobuf  3.", "C-Raft    0."})
    CHECK_MESSAGE(contains(ran.out, part), part);
}

TEST_CASE("wrong command lines say what is wrong and where help is, with exit status 2") {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong{
      {{"chek"},
       "troupe: unknown command \"chek\"; did you mean \"check\"?\nTry 'troupe --help'.\n"},
      {{"status", "--adimn", "x"},
       "troupe: unknown option \"--adimn\"; did you mean \"--admin\"?\nTry 'troupe status "
       "--help'.\n"},
      {{"tree", "now"}, "troupe: unknown argument \"now\"\nTry 'troupe tree --help'.\n"},
      {{"up"}, "troupe: FILE is required\nTry 'troupe up --help'.\n"},
      {{"node", "m.toml"}, "troupe: --name is required\nTry 'troupe node --help'.\n"},
      {{"status", "--admin", "a:1", "--manifest", "m.toml"},
       "troupe: --admin excludes --manifest\nTry 'troupe status --help'.\n"},
      {{"status", "--admin", "localhost"},
       "troupe: --admin: \"localhost\" has no port\n    write host:port, such as "
       "\"127.0.0.1:8080\"\n"},
      {{"shards", "--timeout", "3"},
       "troupe: --timeout \"3\" is not a duration above 0s and up to 1h; write 500ms or 5s\n"}};
  for (const auto& [words, expected] : wrong) {
    const Ran ran = Command{}.run(words);
    CHECK(ran.status == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err == expected);
  }
}

TEST_CASE("a bad address in the environment is told apart from one on the command line") {
  Command command;
  command.environment["TROUPE_ADMIN"] = ":7480";
  const Ran ran = command.run({"status"});
  CHECK(ran.status == 2);
  CHECK(contains(ran.err, "the environment variable TROUPE_ADMIN: \":7480\" has no host"));
}

TEST_CASE("output that cannot be written is a failure") {
  std::ostringstream err;
  std::ostream closed{nullptr};
  CliIo io;
  io.out = &closed;
  io.err = &err;
  io.environment = [](const std::string&) { return std::nullopt; };
  const std::string file = example("single.toml");
  const char* argv[] = {"troupe", "check", file.c_str()};
  CHECK(run_cli(3, argv, Command{}.hooks, io) == 1);
  CHECK(err.str() == "troupe: cannot write to standard output\n");
}

}  // namespace troupe::cluster
