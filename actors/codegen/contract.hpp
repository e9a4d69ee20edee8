// A contract as the plugin understands it: Protobuf's descriptors with Troupe's options read,
// resolved and checked.
#pragma once

#include <string>
#include <vector>

#include "actors/codegen/mistakes.hpp"

namespace troupe::codegen {

struct Method {
  const google::protobuf::MethodDescriptor* descriptor = nullptr;
  bool read_only = false;
  bool stale_ok = false;
  bool versioned = false;
  const google::protobuf::FieldDescriptor* key = nullptr;  // of the request
};

struct Service {
  const google::protobuf::ServiceDescriptor* descriptor = nullptr;
  const google::protobuf::Descriptor* state = nullptr;
  const google::protobuf::Descriptor* event = nullptr;
  std::vector<const google::protobuf::FieldDescriptor*> events;  // members of event's oneof
  std::vector<Method> methods;
};

struct Contract {
  const google::protobuf::FileDescriptor* file = nullptr;
  std::vector<Service> services;  // of kind ENTITY
};

// Complete and fit to generate from if and only if nothing was added to `mistakes`.
Contract read_contract(const google::protobuf::FileDescriptor& file, Mistakes& mistakes);

struct Comment {
  std::string of;  // full name of a service, a method, a type or a field
  std::string text;
};

// Of a file and of what it imports, but for Protobuf's and Troupe's own.
std::vector<Comment> comments_of(const google::protobuf::FileDescriptor& file);

// The HTTP rules of every method: paths, bodies and queries that fit the request, verbs that fit
// read_only, no clash in the file.
void check_http(const google::protobuf::FileDescriptor& file, Mistakes& mistakes);

}  // namespace troupe::codegen
