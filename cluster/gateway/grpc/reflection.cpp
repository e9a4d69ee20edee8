#include "cluster/gateway/grpc/reflection.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <utility>

#include "cluster/gateway/grpc/grpc_status.hpp"
#include "grpc/health/v1/health.pb.h"
#include "grpc/reflection/v1alpha/reflection.pb.h"

namespace troupe::cluster {
namespace {

namespace pb = google::protobuf;
namespace reflection_wire = grpc::reflection::v1alpha;

const pb::DescriptorPool& pool() {
  return *pb::DescriptorPool::generated_pool();
}

// A file after those that it imports.
void add_files(const pb::FileDescriptor& file, std::set<const pb::FileDescriptor*>& seen,
               reflection_wire::FileDescriptorResponse& response) {
  if (!seen.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) add_files(*file.dependency(i), seen, response);
  pb::FileDescriptorProto text;
  file.CopyTo(&text);
  file.CopyJsonNameTo(&text);
  response.add_file_descriptor_proto(text.SerializeAsString());
}

void say_not_found(reflection_wire::ServerReflectionResponse& response, const std::string& what) {
  response.mutable_error_response()->set_error_code(static_cast<int>(Code::not_found));
  response.mutable_error_response()->set_error_message("this server tells of no " + what);
}

}  // namespace

class Reflection::Talk final : public runtime::RpcHandler {
 public:
  Talk(std::shared_ptr<Reflection> reflection, std::shared_ptr<runtime::RpcCall> call)
      : reflection_(std::move(reflection)), call_(std::move(call)) {}

  void on_message(std::string message) override {
    reflection_wire::ServerReflectionRequest request;
    if (!request.ParseFromString(message))
      return call_->finish(
          rpc_status(invalid_argument("REQUEST_MALFORMED",
                                      "the request does not parse as a ServerReflectionRequest")),
          {});
    call_->send(reflection_->answer(request).SerializeAsString());
    call_->receive();
  }
  void on_end() override { call_->finish({}, {}); }
  void on_closed() override { reflection_->long_calls_.remove(call_); }

 private:
  const std::shared_ptr<Reflection> reflection_;
  const std::shared_ptr<runtime::RpcCall> call_;
};

Reflection::Reflection(const std::vector<const actors::ServiceType*>& services) {
  const auto serve = [this](const pb::ServiceDescriptor* service) {
    services_.insert(service->full_name());
    tell_of(*service->file());
  };
  for (const actors::ServiceType* service : services) serve(service->descriptor());
  for (const pb::FileDescriptor* file :
       {grpc::health::v1::HealthCheckRequest::descriptor()->file(),
        reflection_wire::ServerReflectionRequest::descriptor()->file()})
    for (int i = 0; i < file->service_count(); ++i) serve(file->service(i));
}

void Reflection::tell_of(const pb::FileDescriptor& file) {
  if (!files_.insert(&file).second) return;
  for (int i = 0; i < file.dependency_count(); ++i) tell_of(*file.dependency(i));
}

const pb::FileDescriptor* Reflection::told(const pb::FileDescriptor* file) const {
  return files_.contains(file) ? file : nullptr;
}

std::shared_ptr<runtime::RpcHandler> Reflection::talk(std::shared_ptr<runtime::RpcCall> call) {
  auto talk = std::make_shared<Talk>(shared_from_this(), call);
  long_calls_.add(call);
  return talk;
}

reflection_wire::ServerReflectionResponse Reflection::answer(
    const reflection_wire::ServerReflectionRequest& request) const {
  reflection_wire::ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  const auto tell = [&](const pb::FileDescriptor* file, const std::string& what) {
    std::set<const pb::FileDescriptor*> seen;
    if (told(file) == nullptr) return say_not_found(response, what);
    add_files(*file, seen, *response.mutable_file_descriptor_response());
  };
  using Request = reflection_wire::ServerReflectionRequest;
  switch (request.message_request_case()) {
    case Request::kListServices:
      response.mutable_list_services_response();
      for (const std::string& service : services_)
        response.mutable_list_services_response()->add_service()->set_name(service);
      break;
    case Request::kFileByFilename:
      tell(pool().FindFileByName(request.file_by_filename()),
           "file named " + request.file_by_filename());
      break;
    case Request::kFileContainingSymbol:
      tell(pool().FindFileContainingSymbol(request.file_containing_symbol()),
           "symbol named " + request.file_containing_symbol());
      break;
    case Request::kFileContainingExtension: {
      const reflection_wire::ExtensionRequest& wanted = request.file_containing_extension();
      const auto* type = pool().FindMessageTypeByName(wanted.containing_type());
      const auto* extension =
          type == nullptr ? nullptr : pool().FindExtensionByNumber(type, wanted.extension_number());
      tell(extension == nullptr ? nullptr : extension->file(),
           "such extension of " + wanted.containing_type());
      break;
    }
    case Request::kAllExtensionNumbersOfType: {
      const std::string& name = request.all_extension_numbers_of_type();
      const auto* type = pool().FindMessageTypeByName(name);
      if (type == nullptr || told(type->file()) == nullptr) {
        say_not_found(response, "type named " + name);
        break;
      }
      response.mutable_all_extension_numbers_response()->set_base_type_name(name);
      std::vector<const pb::FieldDescriptor*> extensions;
      pool().FindAllExtensions(type, &extensions);
      for (const pb::FieldDescriptor* extension : extensions)
        if (told(extension->file()) != nullptr)
          response.mutable_all_extension_numbers_response()->add_extension_number(
              extension->number());
      break;
    }
    case Request::MESSAGE_REQUEST_NOT_SET:
      response.mutable_error_response()->set_error_code(static_cast<int>(Code::invalid_argument));
      response.mutable_error_response()->set_error_message("the request asks for nothing");
      break;
  }
  return response;
}

}  // namespace troupe::cluster
