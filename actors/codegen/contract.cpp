#include "actors/codegen/contract.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <string_view>

#include "actors/codegen/names.hpp"
#include "troupe/options.pb.h"

namespace troupe::codegen {
namespace {

namespace pb = google::protobuf;

bool imports(const pb::FileDescriptor& file, const pb::FileDescriptor* other) {
  if (&file == other) return true;
  for (int i = 0; i < file.dependency_count(); ++i)
    if (imports(*file.dependency(i), other)) return true;
  return false;
}

// "banking.v1": something, then "v" and a number.
void check_package(const pb::FileDescriptor& file, Mistakes& mistakes) {
  const std::string& package = file.package();
  const auto dot = package.rfind('.');
  const auto version = dot == std::string::npos ? "" : package.substr(dot + 1);
  const auto digits = std::string_view{version}.substr(version.empty() ? 0 : 1);
  if (!version.empty() && version.front() == 'v' && !digits.empty() && digits.front() != '0' &&
      std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; }))
    return;
  mistakes.add(place_of_package(file),
               package.empty()
                   ? "a contract has a package that ends in its version: write \"package "
                     "<context>.v1;\""
                   : "the package " + quoted(package) +
                         " does not end in its version: write \"package " + package + ".v1;\"");
}

class ServiceReader {
 public:
  ServiceReader(const pb::ServiceDescriptor& descriptor, Mistakes& mistakes)
      : descriptor_(descriptor), mistakes_(mistakes) {
    service_.descriptor = &descriptor;
  }

  Service read() {
    if (!check_kind()) return service_;
    const auto& options = descriptor_.options().GetExtension(troupe::service);
    service_.state = message("state", options.state());
    service_.event = message("event", options.event());
    if (service_.state && service_.state == service_.event)
      wrong("state and event name the same message; what is kept and what happened are two");
    if (service_.event) read_events();
    check_class_names();
    if (descriptor_.file()->message_type_count() == 0)
      mistakes_.add(place_of(descriptor_),
                    "the file of a service defines at least one message; "
                    "move the requests of " +
                        quoted(descriptor_.name()) + " here");
    if (descriptor_.method_count() == 0)
      mistakes_.add(place_of(descriptor_), "the service " + quoted(descriptor_.name()) +
                                               " has no rpc; write at least one");
    for (int i = 0; i < descriptor_.method_count(); ++i) read_method(*descriptor_.method(i));
    return service_;
  }

 private:
  void wrong(const std::string& what) {
    mistakes_.add(place_of_option(descriptor_, troupe::kServiceFieldNumber), what);
  }

  bool check_kind() {
    const auto kind = descriptor_.options().GetExtension(troupe::service).kind();
    if (kind == troupe::ENTITY) return true;
    if (kind == troupe::KIND_UNSPECIFIED)
      wrong("the service " + quoted(descriptor_.name()) +
            " does not say what it is: write option (troupe.service) = { kind: ENTITY state: "
            "\"<message>\" event: \"<message>\" };");
    else
      wrong("services of kind " + troupe::ServiceKind_Name(kind) +
            " cannot be generated yet: write kind: ENTITY");
    return false;
  }

  // Looked up as Protobuf looks up a type that is used inside the package.
  const pb::Descriptor* message(const char* option, const std::string& name) {
    if (name.empty()) {
      wrong("an ENTITY has " + std::string{option} + ": write " + option +
            ": \"<message>\" in option (troupe.service)");
      return nullptr;
    }
    const auto& file = *descriptor_.file();
    const auto& pool = *file.pool();
    const pb::Descriptor* found = nullptr;
    bool other_kind = false;
    const auto look = [&](const std::string& full_name) {
      found = pool.FindMessageTypeByName(full_name);
      if (found && !imports(file, found->file())) found = nullptr;
      other_kind = other_kind || pool.FindEnumTypeByName(full_name) != nullptr ||
                   pool.FindServiceByName(full_name) != nullptr;
    };
    if (name.front() == '.') {
      look(name.substr(1));
    } else {
      for (std::string scope = file.package(); !found && !scope.empty();) {
        look(scope + "." + name);
        const auto dot = scope.rfind('.');
        scope.resize(dot == std::string::npos ? 0 : dot);
      }
      if (!found) look(name);
    }
    if (!found)
      wrong(std::string{option} + " " + quoted(name) +
            (other_kind ? " is not a message: name one"
                        : " is no message that package " + file.package() +
                              " can see: define it in this file, import the file that does, or "
                              "correct the name"));
    return found;
  }

  void read_events() {
    const auto& event = *service_.event;
    if (event.real_oneof_decl_count() != 1) {
      mistakes_.add(place_of(event),
                    "the event message " + quoted(event.name()) + " has " +
                        std::to_string(event.real_oneof_decl_count()) +
                        " oneofs; it has exactly one, whose members are the events: write oneof "
                        "event { <Message> <name> = 1; }");
      return;
    }
    std::set<const pb::Descriptor*> types;
    for (int i = 0; i < event.field_count(); ++i) {
      const auto& field = *event.field(i);
      if (field.real_containing_oneof() == nullptr)
        mistakes_.add(place_of(field), "the field " + quoted(field.name()) +
                                           " of an event message stands outside its oneof; move "
                                           "it into the events that need it");
      else if (field.type() != pb::FieldDescriptor::TYPE_MESSAGE)
        mistakes_.add(place_of(field), "the event " + quoted(field.name()) + " is a " +
                                           field.type_name() +
                                           "; an event is a message: define one with this field");
      else if (!types.insert(field.message_type()).second)
        mistakes_.add(place_of(field),
                      "another member has the type " + quoted(field.message_type()->name()) +
                          ", too; apply() tells events by their type: give each its own message");
      else
        service_.events.push_back(&field);
    }
  }

  void check_class_names() {
    const auto& pool = *descriptor_.file()->pool();
    for (const char* suffix : {"Entity", "Ref"}) {
      const auto name = descriptor_.name() + suffix;
      const auto full_name = descriptor_.file()->package() + "." + name;
      if (pool.FindMessageTypeByName(full_name) || pool.FindEnumTypeByName(full_name))
        mistakes_.add(place_of(descriptor_), "the class " + quoted(name) +
                                                 " is generated for this service, but the package "
                                                 "has a type of that name; rename one");
    }
  }

  void read_method(const pb::MethodDescriptor& descriptor) {
    Method method;
    method.descriptor = &descriptor;
    const auto& options = descriptor.options().GetExtension(troupe::method);
    method.read_only = options.read_only();
    method.stale_ok = options.stale_ok();
    method.versioned = options.versioned();
    if (method.stale_ok && !method.read_only)
      mistakes_.add(place_of_option(descriptor, troupe::kMethodFieldNumber),
                    "stale_ok is for methods that only read: write read_only: true, too, or "
                    "remove it");
    if (descriptor.client_streaming() || descriptor.server_streaming())
      mistakes_.add(place_of(descriptor), "the rpc " + quoted(descriptor.name()) +
                                              " streams; an entity takes one request and gives one "
                                              "reply: remove \"stream\"");
    check_method_name(descriptor);
    method.key = find_key(descriptor);
    service_.methods.push_back(method);
  }

  // Handlers are members of a class that has other members.
  void check_method_name(const pb::MethodDescriptor& method) {
    static constexpr std::array<std::string_view, 8> taken{
        "Effects", "Entity", "Error", "Event", "HistoryOrder", "Outcome", "Result", "State"};
    const auto& name = method.name();
    if (name.front() < 'A' || name.front() > 'Z')
      mistakes_.add(place_of(method),
                    "the name of an rpc begins with a capital letter, unlike " + quoted(name));
    else if (std::ranges::find(taken, name) != taken.end() ||
             name == descriptor_.name() + "Entity" || name == descriptor_.name() + "Ref")
      mistakes_.add(place_of(method), quoted(name) +
                                          " is a name of the generated class itself; give the rpc "
                                          "another one");
  }

  const pb::FieldDescriptor* find_key(const pb::MethodDescriptor& method) {
    const auto& request = *method.input_type();
    const pb::FieldDescriptor* key = nullptr;
    for (int i = 0; i < request.field_count(); ++i) {
      const auto& field = *request.field(i);
      if (!field.options().GetExtension(troupe::field).key()) continue;
      if (key != nullptr) {
        wrong_key(field, "the request " + quoted(request.name()) +
                             " has more than one key field; keep key: true on one");
        continue;
      }
      key = &field;
      if (field.type() != pb::FieldDescriptor::TYPE_STRING || field.is_repeated())
        wrong_key(field, "the key field " + quoted(field.name()) + " is a " +
                             (field.is_repeated() ? "repeated " : "") + field.type_name() +
                             "; a key is one string: write string " + field.name() + " = " +
                             std::to_string(field.number()) + " [(troupe.field) = { key: true }];");
      else if (field.real_containing_oneof() != nullptr)
        wrong_key(field, "the key field " + quoted(field.name()) +
                             " stands in a oneof; every request has a key: move it out");
    }
    if (key == nullptr)
      mistakes_.add(place_of(method),
                    "the request " + quoted(request.name()) + " of rpc " + quoted(method.name()) +
                        " does not say which entity it is for: write string <name> = <number> "
                        "[(troupe.field) = { key: true }]; in it");
    return key;
  }

  // A message may be the request of several rpcs; its mistake is told once.
  void wrong_key(const pb::FieldDescriptor& field, const std::string& what) {
    if (told_.insert(&field).second) mistakes_.add(place_of(field), what);
  }

  const pb::ServiceDescriptor& descriptor_;
  Mistakes& mistakes_;
  Service service_;
  std::set<const pb::FieldDescriptor*> told_;  // for membership only, never iterated
};

}  // namespace

Contract read_contract(const pb::FileDescriptor& file, Mistakes& mistakes) {
  Contract contract;
  contract.file = &file;
  if (file.service_count() > 0) check_package(file, mistakes);
  for (int i = 0; i < file.service_count(); ++i)
    contract.services.push_back(ServiceReader{*file.service(i), mistakes}.read());
  check_http(file, mistakes);
  return contract;
}

}  // namespace troupe::codegen
