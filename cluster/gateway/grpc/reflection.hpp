// grpc.reflection (v1alpha, and v1, which is the same but for its name): tools such as grpcurl
// learn the contracts from the server. It tells of the files of the served services and of what
// they import, and of nothing else that is compiled in.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "actors/service.hpp"
#include "cluster/gateway/grpc/long_calls.hpp"
#include "runtime/platform/rpc.hpp"

namespace google::protobuf {
class FileDescriptor;
}

namespace grpc::reflection::v1alpha {
class ServerReflectionRequest;
class ServerReflectionResponse;
}  // namespace grpc::reflection::v1alpha

namespace troupe::cluster {

class Reflection : public std::enable_shared_from_this<Reflection> {
 public:
  explicit Reflection(const std::vector<const actors::ServiceType*>& services);

  // The handler of a call of ServerReflectionInfo.
  std::shared_ptr<runtime::RpcHandler> talk(std::shared_ptr<runtime::RpcCall> call);
  void stop() { long_calls_.end_all(); }

  // Any thread.
  grpc::reflection::v1alpha::ServerReflectionResponse answer(
      const grpc::reflection::v1alpha::ServerReflectionRequest& request) const;

 private:
  class Talk;

  void tell_of(const google::protobuf::FileDescriptor& file);
  const google::protobuf::FileDescriptor* told(const google::protobuf::FileDescriptor* file) const;

  std::set<std::string> services_;
  std::set<const google::protobuf::FileDescriptor*> files_;
  LongCalls long_calls_;
};

}  // namespace troupe::cluster
