// What is wrong with a contract, each with its place: "file:line:col: what to write".
#pragma once

#include <string>
#include <vector>

namespace google::protobuf {
class Descriptor;
class FieldDescriptor;
class FileDescriptor;
class MethodDescriptor;
class ServiceDescriptor;
}  // namespace google::protobuf

namespace troupe::codegen {

// Where something stands in a .proto file; line and column count from 1.
struct Place {
  std::string file;
  int line = 1;
  int column = 1;

  std::string text() const {
    return file + ":" + std::to_string(line) + ":" + std::to_string(column);
  }
};

Place place_of(const google::protobuf::Descriptor& message);
Place place_of(const google::protobuf::FieldDescriptor& field);
Place place_of(const google::protobuf::MethodDescriptor& method);
Place place_of(const google::protobuf::ServiceDescriptor& service);
Place place_of_package(const google::protobuf::FileDescriptor& file);

// The option with this extension number, or the element itself if it has none.
Place place_of_option(const google::protobuf::MethodDescriptor& method, int extension);
Place place_of_option(const google::protobuf::ServiceDescriptor& service, int extension);

// Collects; a contract is read to its end, so that one run shows every mistake.
class Mistakes {
 public:
  void add(const Place& place, const std::string& what_to_write) {
    lines_.push_back(place.text() + ": " + what_to_write);
  }
  const std::vector<std::string>& lines() const { return lines_; }
  bool empty() const { return lines_.empty(); }

 private:
  std::vector<std::string> lines_;
};

}  // namespace troupe::codegen
