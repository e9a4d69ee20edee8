// Accepts connections for gRPC's server, which gets their descriptors.
//
// gRPC's own way has no bound, and once the process was out of descriptors it never accepts again
// (1.51). A thread of its own, since gRPC's are busy with calls.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <functional>
#include <map>
#include <thread>

#include "runtime/platform/network.hpp"
#include "runtime/result.hpp"
#include "runtime/seldom.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

class RpcListener {
 public:
  // Takes a connection's descriptor. On the listener's thread.
  using Accepted = std::function<void(int descriptor)>;

  // At most so many connections at once; further ones are closed. Not started yet.
  RpcListener(std::size_t connections_max, Logger& log);
  ~RpcListener();  // as stop()
  RpcListener(const RpcListener&) = delete;
  RpcListener& operator=(const RpcListener&) = delete;

  // Binds; UNAVAILABLE / ADDRESS_IN_USE if that does not work. Connections wait until start().
  Result<void> open(const Address& address);
  const Address& local() const { return local_; }
  void start(Accepted accepted);
  // Accepts none any more. Any thread but the listener's; a second call changes nothing.
  void stop();

 private:
  void run();
  void accept_one();
  bool has_room(int descriptor);
  void say(const char* event, const std::string& what);
  bool wait(int descriptor, int milliseconds);  // false: stop() was called

  const std::size_t connections_max_;
  Logger& log_;
  Address local_;
  int socket_ = -1;
  int stop_ = -1;  // an event that ends the thread
  Accepted accepted_;
  std::thread thread_;

  // Of the thread: connections that gRPC got, by descriptor, with the socket's own number, by which
  // one that it has closed is told from a later one.
  std::map<int, ino_t> given_;
  Seldom seldom_{std::chrono::seconds{10}};
};

}  // namespace troupe::runtime
