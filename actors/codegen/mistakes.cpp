#include "actors/codegen/mistakes.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;
using Path = std::vector<int>;

template <class Element>
Place place_of_element(const Element& element, const pb::FileDescriptor& file) {
  Place place{file.name()};
  pb::SourceLocation found;
  if (element.GetSourceLocation(&found)) {
    place.line = found.start_line + 1;
    place.column = found.start_column + 1;
  }
  return place;
}

// The first location at or below `path`: an option may be written whole ("= { kind: ENTITY }") or
// member by member (".kind = ENTITY"), which makes longer paths.
Place place_of_path(const pb::FileDescriptor& file, const Path& path, Place otherwise) {
  pb::FileDescriptorProto proto;
  file.CopySourceCodeInfoTo(&proto);
  for (const auto& location : proto.source_code_info().location()) {
    if (location.path_size() < static_cast<int>(path.size())) continue;
    if (!std::equal(path.begin(), path.end(), location.path().begin())) continue;
    return Place{file.name(), location.span(0) + 1, location.span(1) + 1};
  }
  return otherwise;
}

Path path_of(const pb::ServiceDescriptor& service) {
  return {pb::FileDescriptorProto::kServiceFieldNumber, service.index()};
}

}  // namespace

Place place_of(const pb::Descriptor& message) {
  return place_of_element(message, *message.file());
}
Place place_of(const pb::FieldDescriptor& field) {
  return place_of_element(field, *field.file());
}
Place place_of(const pb::MethodDescriptor& method) {
  return place_of_element(method, *method.service()->file());
}
Place place_of(const pb::ServiceDescriptor& service) {
  return place_of_element(service, *service.file());
}

Place place_of_package(const pb::FileDescriptor& file) {
  return place_of_path(file, {pb::FileDescriptorProto::kPackageFieldNumber}, Place{file.name()});
}

Place place_of_option(const pb::ServiceDescriptor& service, int extension) {
  auto path = path_of(service);
  path.insert(path.end(), {pb::ServiceDescriptorProto::kOptionsFieldNumber, extension});
  return place_of_path(*service.file(), path, place_of(service));
}

Place place_of_option(const pb::MethodDescriptor& method, int extension) {
  auto path = path_of(*method.service());
  path.insert(path.end(), {pb::ServiceDescriptorProto::kMethodFieldNumber, method.index(),
                           pb::MethodDescriptorProto::kOptionsFieldNumber, extension});
  return place_of_path(*method.service()->file(), path, place_of(method));
}

}  // namespace troupe::codegen
