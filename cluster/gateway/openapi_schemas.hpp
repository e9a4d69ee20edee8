// Protobuf types as JSON Schemas (draft 2020-12, the dialect of OpenAPI 3.1), by Protobuf's JSON
// mapping (https://protobuf.dev/programming-guides/json/).
#pragma once

#include <google/protobuf/descriptor.h>

#include <boost/json/object.hpp>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace troupe::cluster {

// What the author wrote about a type, field or rpc of that full name; empty: nothing.
using Comments = std::function<std::string_view(const std::string& full_name)>;

// Collects the schemas that a document refers to. Owned by whoever writes the document.
class OpenApiSchemas {
 public:
  explicit OpenApiSchemas(Comments comments) : comments_{std::move(comments)} {}

  // Of a message, as a reference; of a well-known type, itself.
  boost::json::object of(const google::protobuf::Descriptor& type);
  // Of a field's value, described by the field's comment.
  boost::json::object of(const google::protobuf::FieldDescriptor& field);
  // Of one value of a repeated field.
  boost::json::object of_one(const google::protobuf::FieldDescriptor& field);
  // Of a message without those of its fields that come from elsewhere (full names).
  boost::json::object without(const google::protobuf::Descriptor& type,
                              const std::set<std::string>& left_out);

  // All that were referred to, and what those refer to, sorted by name.
  boost::json::object components();

 private:
  boost::json::object message(const google::protobuf::Descriptor& type,
                              const std::set<std::string>& left_out);
  void describe(boost::json::object& schema, const std::string& full_name) const;

  Comments comments_;
  std::map<std::string, boost::json::object> done_;
  std::vector<const google::protobuf::Descriptor*> wanted_;
};

}  // namespace troupe::cluster
