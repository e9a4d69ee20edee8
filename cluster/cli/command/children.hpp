// Programs that this process runs beside each other and looks after: it passes their output on line
// by line, says when one ends, and passes signals on.
//
// Each child is a process group of its own, so that Ctrl-C reaches this process alone, which then
// asks the children once. If this process dies, the children get SIGTERM.
//
// From construction to destruction SIGINT, SIGTERM and SIGCHLD are blocked in the thread, which is
// the only one to use this. Linux.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cluster/cli/command/io.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

class Children {
 public:
  explicit Children(const CliIo& io);
  ~Children();  // whoever still runs is killed
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  // Runs the program at command[0] with command as its arguments; its pid. `again` is what to type
  // to start it once more. INTERNAL / CHILD_NOT_STARTED: the system has no process or pipe left.
  Result<pid_t> start(const std::string& name, const std::vector<std::string>& command,
                      const std::string& again);

  // Until all have ended. Output goes to io.err with the name before each line. The first SIGINT or
  // SIGTERM is passed on as SIGTERM to all, and so is the second; the third kills them. False: one
  // ended before it was asked to, unless with status 0, or with another status after that.
  bool supervise();

 private:
  struct Child {
    std::string name;
    std::string again;
    pid_t pid = -1;
    int output = -1;            // -1: closed
    std::string line;           // the beginning of one
    std::optional<int> status;  // as waitpid() gives it
  };

  void read_output(Child& child);
  void print_line(const Child& child, std::string_view line);
  void read_signals();
  void reap();
  void say_ended(const Child& child, int status);
  void wait_for_event();

  const CliIo& io_;
  sigset_t former_mask_{};
  int signals_ = -1;
  std::vector<Child> children_;
  int asked_ = 0;  // to stop
  bool well_ = true;
};

}  // namespace troupe::cluster
