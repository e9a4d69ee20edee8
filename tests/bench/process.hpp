// Child processes of a bench: servers to measure against, and what drives them.
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace troupe::bench {

// Runs a command to its end; returns what it wrote to standard output. Throws std::runtime_error
// with the command and its last words if it fails.
std::string run_command(const std::vector<std::string>& command);

// Runs `work` in a forked process and returns what it returned. Only while this process has no
// other threads. Throws std::runtime_error if the child fails.
double in_child(const std::function<double()>& work);

// A server: started, and ended with the object by its process id.
class Server {
 public:
  // Output goes to the file `log`.
  Server(const std::vector<std::string>& command, const std::string& log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  pid_t pid() const { return pid_; }
  // Waits until something listens there. Throws if the process ends first.
  void wait_port(unsigned short port);
  // User and system time since its start.
  double cpu_seconds() const;
  double resident_bytes() const;
  void terminate();

 private:
  pid_t pid_ = -1;
  std::string log_;
};

unsigned short free_port();
double own_cpu_seconds();
double own_resident_bytes();
double own_written_bytes();  // handed to the block layer, see proc(5), io: write_bytes

}  // namespace troupe::bench
