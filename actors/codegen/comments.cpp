// What authors write above or behind their services, methods, types and fields: for descriptions of
// what is served (cluster/gateway/openapi.hpp).
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <set>

#include "actors/codegen/contract.hpp"

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view blanks = " \t\r";
  const auto first = line.find_first_not_of(blanks);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(blanks) - first + 1);
}

// Lines of a paragraph become one; an empty line stays.
std::string unfolded(std::string_view text) {
  std::string all;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = trimmed(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (line.empty()) {
      if (!all.empty() && !all.ends_with('\n')) all += "\n\n";
      continue;
    }
    if (!all.empty() && !all.ends_with('\n')) all += ' ';
    all += line;
  }
  while (all.ends_with('\n')) all.pop_back();
  return all;
}

class Collector {
 public:
  void file(const pb::FileDescriptor& file) {
    const bool foreign = file.name().starts_with("google/") || file.name().starts_with("troupe/");
    if (foreign || !seen_.insert(&file).second) return;
    for (int i = 0; i < file.service_count(); ++i) {
      add(*file.service(i));
      for (int m = 0; m < file.service(i)->method_count(); ++m) add(*file.service(i)->method(m));
    }
    for (int i = 0; i < file.message_type_count(); ++i) message(*file.message_type(i));
    for (int i = 0; i < file.enum_type_count(); ++i) add(*file.enum_type(i));
    for (int i = 0; i < file.dependency_count(); ++i) this->file(*file.dependency(i));
  }

  std::vector<Comment> take() { return std::move(comments_); }

 private:
  void message(const pb::Descriptor& type) {
    if (type.options().map_entry()) return;
    add(type);
    for (int i = 0; i < type.field_count(); ++i) add(*type.field(i));
    for (int i = 0; i < type.nested_type_count(); ++i) message(*type.nested_type(i));
    for (int i = 0; i < type.enum_type_count(); ++i) add(*type.enum_type(i));
  }

  template <class Descriptor>
  void add(const Descriptor& what) {
    pb::SourceLocation where;
    if (!what.GetSourceLocation(&where)) return;
    std::string text = unfolded(where.leading_comments);
    const std::string behind = unfolded(where.trailing_comments);
    if (!text.empty() && !behind.empty()) text += ' ';
    text += behind;
    if (!text.empty()) comments_.push_back({what.full_name(), std::move(text)});
  }

  std::set<const pb::FileDescriptor*> seen_;
  std::vector<Comment> comments_;
};

}  // namespace

std::vector<Comment> comments_of(const pb::FileDescriptor& file) {
  Collector all;
  all.file(file);
  return all.take();
}

}  // namespace troupe::codegen
