// How things of a contract are called in C++.
#pragma once

#include <google/protobuf/descriptor.h>

#include <string>
#include <string_view>

namespace troupe::codegen {

std::string quoted(std::string_view text);

// "banking::v1"
std::string cpp_namespace(const google::protobuf::FileDescriptor& file);

// "::banking::v1::Deposited"
std::string cpp_class(const google::protobuf::Descriptor& message);

// "banking/v1/accounts.pb.h", "banking/v1/accounts.troupe.hpp"
std::string messages_header(const google::protobuf::FileDescriptor& file);
std::string troupe_header(const google::protobuf::FileDescriptor& file);

// "::troupe::actors::encode", or the deterministic form if a map can be inside the message.
std::string encode_function(const google::protobuf::Descriptor& message);

// The comment in front of an element, each line behind `indent` and "//"; empty if there is none.
template <class Descriptor>
std::string comment_of(const Descriptor& element, const std::string& indent);

std::string as_comment(const std::string& text, const std::string& indent);

template <class Descriptor>
std::string comment_of(const Descriptor& element, const std::string& indent) {
  google::protobuf::SourceLocation location;
  if (!element.GetSourceLocation(&location)) return {};
  return as_comment(location.leading_comments, indent);
}

}  // namespace troupe::codegen
