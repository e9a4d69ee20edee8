#include "cluster/cli/command/children.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace troupe::cluster {
namespace {

// A line that is longer is printed in pieces.
constexpr std::size_t line_bytes_max = std::size_t{1} << 20;

sigset_t watched_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGINT, SIGTERM, SIGCHLD}) sigaddset(&signals, signal);
  return signals;
}

// In the child: only what may be called between fork() and exec().
[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);  // it died before that
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = ::open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execv(arguments[0], arguments);
  const char* why = std::strerror(errno);
  for (const char* text : {"cannot run ", static_cast<const char*>(arguments[0]), ": ", why, "\n"})
    if (::write(STDERR_FILENO, text, std::strlen(text)) < 0) break;
  _exit(127);
}

std::string how_it_ended(int status) {
  if (WIFEXITED(status)) return "with status " + std::to_string(WEXITSTATUS(status));
  const char* name = sigabbrev_np(WTERMSIG(status));
  return std::string{"by SIG"} + (name ? name : std::to_string(WTERMSIG(status)));
}

bool went_well(int status) {
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace

Children::Children(const CliIo& io) : io_(io) {
  const sigset_t signals = watched_signals();
  pthread_sigmask(SIG_BLOCK, &signals, &former_mask_);
  signals_ = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}

Children::~Children() {
  for (Child& child : children_) {
    if (!child.status) {
      kill(child.pid, SIGKILL);
      waitpid(child.pid, nullptr, 0);
    }
    if (child.output >= 0) close(child.output);
  }
  // What came and was not read is ours: it must not end the process now.
  signalfd_siginfo ignored{};
  while (signals_ >= 0 && ::read(signals_, &ignored, sizeof ignored) > 0) continue;
  if (signals_ >= 0) close(signals_);
  pthread_sigmask(SIG_SETMASK, &former_mask_, nullptr);
}

Result<pid_t> Children::start(const std::string& name, const std::vector<std::string>& command,
                              const std::string& again) {
  const auto failed = [&](const char* what) {
    return internal("CHILD_NOT_STARTED",
                    "cannot start " + name + ": " + what + ": " + std::strerror(errno));
  };
  if (signals_ < 0) return failed("no signal descriptor");
  int pipe[2];
  if (pipe2(pipe, O_CLOEXEC) != 0) return failed("no pipe");
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) become(arguments.data(), pipe[1], parent);
  close(pipe[1]);
  if (pid < 0) {
    close(pipe[0]);
    return failed("no process");
  }
  fcntl(pipe[0], F_SETFL, O_NONBLOCK);
  children_.push_back({name, again, pid, pipe[0], "", std::nullopt});
  return pid;
}

bool Children::supervise() {
  const auto runs = [](const Child& child) { return !child.status; };
  while (std::ranges::any_of(children_, runs)) {
    wait_for_event();
    for (Child& child : children_)
      if (child.output >= 0) read_output(child);
    read_signals();
    reap();
  }
  return well_;
}

void Children::wait_for_event() {
  std::vector<pollfd> watched{{signals_, POLLIN, 0}};
  for (const Child& child : children_)
    if (child.output >= 0) watched.push_back({child.output, POLLIN, 0});
  // An interruption is as good as an event: everything is looked at in any case.
  (void)poll(watched.data(), watched.size(), -1);
}

void Children::read_output(Child& child) {
  char bytes[65'536];
  for (;;) {
    const ssize_t count = ::read(child.output, bytes, sizeof bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
      if (!child.line.empty()) print_line(child, child.line);
      child.line.clear();
      close(std::exchange(child.output, -1));
      return;
    }
    child.line.append(bytes, static_cast<std::size_t>(count));
    std::size_t begin = 0;
    for (std::size_t end; (end = child.line.find('\n', begin)) != std::string::npos;
         begin = end + 1)
      print_line(child, std::string_view{child.line}.substr(begin, end - begin));
    child.line.erase(0, begin);
    if (child.line.size() > line_bytes_max) {
      print_line(child, child.line);
      child.line.clear();
    }
  }
}

void Children::print_line(const Child& child, std::string_view line) {
  std::size_t columns = 0;
  for (const Child& one : children_) columns = std::max(columns, width(one.name));
  *io_.err << child.name << std::string(columns - width(child.name), ' ') << " | " << line << "\n"
           << std::flush;
}

void Children::read_signals() {
  signalfd_siginfo signal{};
  while (::read(signals_, &signal, sizeof signal) == sizeof signal) {
    if (signal.ssi_signo == SIGCHLD) continue;
    ++asked_;
    for (const Child& child : children_)
      if (!child.status) kill(child.pid, asked_ > 2 ? SIGKILL : SIGTERM);
  }
}

void Children::reap() {
  for (Child& child : children_) {
    int status = 0;
    if (child.status || waitpid(child.pid, &status, WNOHANG) != child.pid) continue;
    child.status = status;
    if (child.output >= 0) read_output(child);
    // Kept open by a child of its own, perhaps; nobody else's output is ours.
    if (child.output >= 0) close(std::exchange(child.output, -1));
    say_ended(child, status);
  }
}

void Children::say_ended(const Child& child, int status) {
  well_ = well_ && went_well(status);
  if (asked_ > 0 && went_well(status)) return;
  std::string others;
  for (const Child& other : children_)
    if (!other.status) others += (others.empty() ? "" : ", ") + other.name;
  *io_.err << "troupe: " << child.name << " (pid " << child.pid << ") has ended "
           << (asked_ > 0 ? "" : "by itself, ") << how_it_ended(status);
  if (asked_ == 0)
    *io_.err << (others.empty() ? "; nothing else runs" : "; running: " + others)
             << ". To start it again: " << child.again;
  *io_.err << "\n" << std::flush;
}

}  // namespace troupe::cluster
