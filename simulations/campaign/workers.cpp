#include "simulations/campaign/workers.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <system_error>
#include <utility>

namespace troupe::simulations {
namespace {

using Clock = std::chrono::steady_clock;

// A message on the pipe: this byte, the length in four bytes, least significant first, and as many
// bytes as it says.
constexpr char frame_version = 1;
constexpr std::size_t frame_header = 5;
constexpr std::size_t printed_max = std::size_t{16} << 10;

[[noreturn]] void throw_errno(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() { close(); }
  void close() {
    if (number_ >= 0) ::close(number_);
    number_ = -1;
  }
  int get() const { return number_; }

 private:
  int number_ = -1;
};

struct Pipe {
  Descriptor read, write;
  Pipe() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe");
    read = Descriptor{ends[0]};
    write = Descriptor{ends[1]};
    fcntl(read.get(), F_SETFL, O_NONBLOCK);
  }
};

// What is there to read, appended; false: the other end is closed for good.
bool read_all(const Descriptor& from, std::string& text) {
  std::array<char, 65536> buffer{};
  for (;;) {
    const ssize_t got = ::read(from.get(), buffer.data(), buffer.size());
    if (got > 0)
      text.append(buffer.data(), static_cast<std::size_t>(got));
    else if (got == 0)
      return false;
    else if (errno != EINTR)
      return errno == EAGAIN;
  }
}

void write_all(int to, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(to, bytes.data(), bytes.size());
    if (written > 0)
      bytes.remove_prefix(static_cast<std::size_t>(written));
    else if (errno != EINTR)
      _exit(1);  // nobody reads any more
  }
}

std::string framed(std::string_view message) {
  std::string frame{frame_version};
  for (unsigned shift = 0; shift < 32; shift += 8)
    frame += static_cast<char>(message.size() >> shift & 0xff);
  return frame.append(message);
}

// Moves the last whole message out of `bytes` to `message`; what is left waits for more.
void take_messages(std::string& bytes, std::string& message) {
  std::size_t at = 0;
  while (bytes.size() - at >= frame_header && bytes[at] == frame_version) {
    std::size_t length = 0;
    for (std::size_t i = 0; i < 4; ++i)
      length |= std::size_t{static_cast<unsigned char>(bytes[at + 1 + i])} << (8 * i);
    if (bytes.size() - at - frame_header < length) break;
    message = bytes.substr(at + frame_header, length);
    at += frame_header + length;
  }
  bytes.erase(0, at);
}

[[noreturn]] void work_in_child(const Workers::Work& work, int answers, int printed, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it died before it could be watched
  std::signal(SIGINT, SIG_IGN);
  std::signal(SIGTERM, SIG_IGN);
  const int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
  dup2(nothing, STDIN_FILENO);
  dup2(printed, STDOUT_FILENO);
  dup2(printed, STDERR_FILENO);
  int status = 0;
  try {
    work([answers](std::string_view message) { write_all(answers, framed(message)); });
  } catch (const std::exception& error) {
    std::fprintf(stderr, "exception: %s\n", error.what());
    status = 1;
  } catch (...) {
    std::fprintf(stderr, "exception of an unknown type\n");
    status = 1;
  }
  std::cout.flush();
  std::fflush(nullptr);
  _exit(status);  // what the parent has open or registered is the parent's to close
}

}  // namespace

struct Workers::Process {
  pid_t pid = -1;
  Descriptor answers, printed;
  std::string bytes;  // of messages that are not whole yet
  Clock::time_point deadline;
  Ended ended;

  // Reads what is there; false: both pipes are closed.
  bool read() {
    if (!read_all(answers, bytes)) answers.close();
    take_messages(bytes, ended.message);
    if (!read_all(printed, ended.printed)) printed.close();
    if (ended.printed.size() > printed_max)
      ended.printed.erase(0, ended.printed.size() - printed_max);
    return answers.get() >= 0 || printed.get() >= 0;
  }

  // Whether it has ended; `wait`: it surely will.
  bool reap(bool wait) {
    int status = 0;
    pid_t reaped = 0;
    do reaped = waitpid(pid, &status, wait ? 0 : WNOHANG);
    while (reaped < 0 && errno == EINTR);
    if (reaped != pid) return false;
    if (WIFSIGNALED(status)) {
      const char* name = sigabbrev_np(WTERMSIG(status));
      ended.died = name ? "SIG" + std::string{name} : "signal " + std::to_string(WTERMSIG(status));
    } else if (WEXITSTATUS(status) != 0) {
      ended.died = "exit status " + std::to_string(WEXITSTATUS(status));
    }
    pid = -1;
    return true;
  }

  void kill() {
    if (pid < 0) return;
    ::kill(pid, SIGKILL);
    reap(true);
  }
};

Workers::Workers(unsigned at_a_time) : at_a_time_(std::max(at_a_time, 1u)) {}

Workers::~Workers() {
  kill_all();
}

std::unique_ptr<Workers::Process> Workers::spawn(const Work& work) {
  auto process = std::make_unique<Process>();
  Pipe answers, printed;
  // What waits in a buffer would be written twice, by both.
  std::cout.flush();
  std::fflush(nullptr);
  const pid_t parent = getpid();
  process->pid = fork();
  if (process->pid < 0) throw_errno("fork");
  if (process->pid == 0) work_in_child(work, answers.write.get(), printed.write.get(), parent);
  process->answers = std::move(answers.read);
  process->printed = std::move(printed.read);
  return process;
}

void Workers::start(std::uint64_t ticket, const Work& work, Duration limit) {
  auto process = spawn(work);
  process->ended.ticket = ticket;
  process->deadline = Clock::now() + limit;
  running_.push_back(std::move(process));
}

std::vector<Workers::Ended> Workers::wait(Duration at_most) {
  if (running_.empty()) return {};
  auto until = Clock::now() + at_most;
  std::vector<pollfd> watched;
  for (const auto& process : running_) {
    until = std::min(until, process->deadline);
    for (const int number : {process->answers.get(), process->printed.get()})
      watched.push_back({number, POLLIN, 0});
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now());
  poll(watched.data(), watched.size(), static_cast<int>(std::clamp<long>(left.count(), 0, 60'000)));

  std::vector<Ended> ended;
  for (auto& process : running_) {
    const bool open = process->read();
    if (Clock::now() >= process->deadline && !process->reap(false)) {
      process->ended.hung = true;
      process->kill();
    } else if (process->pid >= 0 && !process->reap(!open)) {
      continue;
    }
    process->read();
    ended.push_back(std::move(process->ended));
    process.reset();
  }
  std::erase(running_, nullptr);
  return ended;
}

void Workers::kill(std::uint64_t ticket) {
  for (auto& process : running_) {
    if (process->ended.ticket != ticket) continue;
    process->kill();
    process.reset();
  }
  std::erase(running_, nullptr);
}

void Workers::kill_all() {
  for (auto& process : running_) process->kill();
  running_.clear();
}

// --- signals ------------------------------------------------------------------------------------

namespace {

volatile std::sig_atomic_t noted_signal = 0;
struct sigaction earlier_interrupt, earlier_terminate;

void note_signal(int number) {
  noted_signal = number;
}

}  // namespace

Interruption::Interruption() {
  noted_signal = 0;
  struct sigaction action {};
  action.sa_handler = note_signal;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, &earlier_interrupt);
  sigaction(SIGTERM, &action, &earlier_terminate);
}

Interruption::~Interruption() {
  sigaction(SIGINT, &earlier_interrupt, nullptr);
  sigaction(SIGTERM, &earlier_terminate, nullptr);
}

int Interruption::signal() const {
  return noted_signal;
}

}  // namespace troupe::simulations
