// The descriptors of gRPC's connections, and what is written to one of them together.
//
// gRPC makes one packet of each answer, and for the kernel, and for whoever gets it, a packet costs
// more than the answer did. gRPC says of a call whom it came from, but not on which descriptor.
//
// Any thread.
#pragma once

#include <mutex>
#include <string>
#include <unordered_map>

namespace troupe::runtime {

class RpcConnections {
 public:
  // A connection that gRPC is about to get. What had its number before is forgotten.
  void add(int descriptor);
  // `peer` as gRPC names it. Negative: there is none. gRPC may have closed it meanwhile.
  int descriptor_of(const std::string& peer) const;

 private:
  mutable std::mutex mutex_;
  std::unordered_map<std::string, int> descriptors_;  // looked up only
  std::unordered_map<int, std::string> peers_;        // the same; looked up only
};

// While there is one of a connection, what is written to it waits, to go in full packets. If the
// number is another's meanwhile, that one's writes wait so long.
class RpcCork {
 public:
  explicit RpcCork(int descriptor);  // negative: nothing waits
  ~RpcCork();
  RpcCork(const RpcCork&) = delete;
  RpcCork& operator=(const RpcCork&) = delete;

 private:
  const int descriptor_;
};

}  // namespace troupe::runtime
