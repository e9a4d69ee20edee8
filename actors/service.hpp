// What the runtime knows of a service: its contract, its methods, how to make its entities.
// Generated code fills in a ServiceType; TROUPE_SERVICE registers it with a class of the author's.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.hpp"

namespace google::protobuf {
class MethodDescriptor;
class ServiceDescriptor;
}  // namespace google::protobuf

namespace troupe::actors {

class Entity;

enum class ServiceKind : std::uint8_t { entity, workflow, projection, stateless };

struct MethodType {
  std::string name;  // "Deposit"
  bool read_only = false;
  bool stale_ok = false;
  // The key field of a serialised request. INVALID_ARGUMENT if it does not parse or has none.
  Result<std::string> (*key_of)(std::string_view request) = nullptr;
  bool versioned = false;  // the reply is the entity as it is after the call
};

// What the contract's author wrote about a service, a method, a type or a field.
struct Comment {
  std::string_view of;  // full name: "banking.v1.Accounts.Deposit"
  std::string_view text;
};

// One per service of a contract; static data of the generated code.
struct ServiceType {
  std::string name;     // "banking.v1.Accounts"
  std::string context;  // "banking", the first part of the package
  ServiceKind kind = ServiceKind::entity;
  std::vector<MethodType> methods;  // in the contract's order; an index names a method in a process
  // Protobuf's own reflection: HTTP rules, field types. A function, because generated descriptors
  // are built on first use.
  const google::protobuf::ServiceDescriptor* (*descriptor)() = nullptr;
  // Of the contract's file and of those that it imports. Static data.
  std::span<const Comment> comments = {};

  // Index of a method by name, or methods.size().
  std::size_t find(std::string_view method) const;
};

// A service that this binary can host.
struct Service {
  const ServiceType* type = nullptr;
  std::function<std::unique_ptr<Entity>()> make_entity;
};

// The services of a binary. Registered before main() by TROUPE_SERVICE, or by a test.
class ServiceRegistry {
 public:
  void add(Service service);  // a second one of that name is a bug and aborts
  const Service* find(std::string_view name) const;
  const std::vector<Service>& all() const { return services_; }  // sorted by name

  static ServiceRegistry& global();

 private:
  std::vector<Service> services_;
};

std::vector<const ServiceType*> types_of(const ServiceRegistry& registry);

struct Registration {
  explicit Registration(Service service) { ServiceRegistry::global().add(std::move(service)); }
};

// Makes `Class` the implementation of the service whose generated base it derives from.
#define TROUPE_SERVICE(Class)                                               \
  static const ::troupe::actors::Registration troupe_registration_##Class { \
    ::troupe::actors::Service {                                             \
      &Class::service_type(), [] { return std::make_unique<Class>(); }      \
    }                                                                       \
  }

}  // namespace troupe::actors
