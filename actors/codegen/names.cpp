#include "actors/codegen/names.hpp"

#include <google/protobuf/compiler/cpp/names.h>

#include <set>
#include <sstream>

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;

bool can_hold_map(const pb::Descriptor& message, std::set<const pb::Descriptor*>& seen) {
  if (!seen.insert(&message).second) return false;
  if (message.extension_range_count() > 0) return true;  // unknown here: anything may extend it
  for (int i = 0; i < message.field_count(); ++i) {
    const auto& field = *message.field(i);
    if (field.is_map()) return true;
    if (field.message_type() != nullptr && can_hold_map(*field.message_type(), seen)) return true;
  }
  return false;
}

}  // namespace

std::string quoted(std::string_view text) {
  return "\"" + std::string{text} + "\"";
}

std::string cpp_namespace(const pb::FileDescriptor& file) {
  std::string name;
  for (const char c : file.package()) name += c == '.' ? std::string{"::"} : std::string{c};
  return name;
}

std::string cpp_class(const pb::Descriptor& message) {
  return pb::compiler::cpp::QualifiedClassName(&message);
}

std::string messages_header(const pb::FileDescriptor& file) {
  return pb::compiler::cpp::StripProto(file.name()) + ".pb.h";
}

std::string troupe_header(const pb::FileDescriptor& file) {
  return pb::compiler::cpp::StripProto(file.name()) + ".troupe.hpp";
}

std::string encode_function(const pb::Descriptor& message) {
  std::set<const pb::Descriptor*> seen;  // for membership only, never iterated
  return can_hold_map(message, seen) ? "::troupe::actors::encode_deterministic"
                                     : "::troupe::actors::encode";
}

std::string as_comment(const std::string& text, const std::string& indent) {
  std::string comment;
  std::istringstream lines{text};
  for (std::string line; std::getline(lines, line);) {
    while (!line.empty() && (line.back() == ' ' || line.back() == '\r')) line.pop_back();
    // A backslash at the end would swallow the next line of the source.
    if (!line.empty() && line.back() == '\\') line += '.';
    comment += indent + "//" + line + "\n";
  }
  return comment;
}

}  // namespace troupe::codegen
