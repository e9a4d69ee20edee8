// The simplest thing that behaves like a service: what the replies of real nodes are compared with.
//
//   class AccountModel final : public EntityModel<AccountModel> {
//    public:
//     static void methods(Methods& on) {
//       on("Deposit", &AccountModel::deposit);
//       on("Get", &AccountModel::get);
//     }
//     std::string state() const { return std::to_string(balance_); }
//
//    private:
//     Result<v1::Account> deposit(const v1::DepositRequest& request) { ... }
//     Result<v1::Account> get(const v1::GetRequest&) { ... }
//     std::int64_t balance_ = 0;
//   };
//
// One object is one entity. A method changes the object and returns the reply, or returns
// refusal("REASON") and has changed nothing; the text of a refusal is not compared. A method that
// only reads must not change what state() says, unless it learns from what was seen.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "actors/encoding.hpp"
#include "runtime/result.hpp"
#include "simulations/rehearsal/history.hpp"
#include "simulations/world/check.hpp"

namespace troupe::simulations {

inline Error refusal(std::string reason) {
  return Error{Code::unknown, std::move(reason), {}};
}

class Model {
 public:
  virtual ~Model() = default;
  virtual std::unique_ptr<Model> clone() const = 0;

  // Bytes that differ when the states do. Searching asks often, so keep it short.
  virtual std::string state() const = 0;

  // The serialised reply, or the refusal. `seen`: the serialised reply that the client got, null if
  // it got none.
  virtual Result<std::string> apply(const Operation& operation, const std::string* seen) = 0;
};

// Makes the model of an entity that nobody has called yet.
using MakeModel = std::function<std::unique_ptr<Model>(const std::string& key)>;

template <class Self>
class EntityModel : public Model {
 public:
  class Methods {
   public:
    template <class Request, class Response>
    void operator()(const std::string& method, Result<Response> (Self::*handler)(const Request&)) {
      run_[method] = [handler](Self& self, const Operation& operation, const std::string*) {
        return reply<Response>((self.*handler)(request<Request>(operation)));
      };
    }
    // The same, for a reply of which not everything can be foretold, such as a time: what must be
    // taken over is in `seen`, which is null when the client got no reply.
    template <class Request, class Response>
    void operator()(const std::string& method,
                    Result<Response> (Self::*handler)(const Request&, const Response* seen)) {
      run_[method] = [handler](Self& self, const Operation& operation, const std::string* seen) {
        Response parsed;
        if (seen != nullptr && !parsed.ParseFromString(*seen)) seen = nullptr;
        return reply<Response>(
            (self.*handler)(request<Request>(operation), seen != nullptr ? &parsed : nullptr));
      };
    }

   private:
    friend class EntityModel;
    using Run = std::function<Result<std::string>(Self&, const Operation&, const std::string*)>;

    template <class Request>
    static Request request(const Operation& operation) {
      Request parsed;
      check(parsed.ParseFromString(operation.request), "a request does not parse for its model");
      return parsed;
    }
    template <class Response>
    static Result<std::string> reply(const Result<Response>& response) {
      if (!response) return response.error();
      return actors::encode_deterministic(*response);
    }

    std::map<std::string, Run> run_;
  };

  std::unique_ptr<Model> clone() const final {
    return std::make_unique<Self>(static_cast<const Self&>(*this));
  }

  Result<std::string> apply(const Operation& operation, const std::string* seen) final {
    static const auto methods = [] {
      Methods all;
      Self::methods(all);
      return all;
    }();
    const auto& name = operation.service->methods[operation.method].name;
    const auto found = methods.run_.find(name);
    check(found != methods.run_.end(), "the model of " + operation.service->name +
                                           " lacks the method " + name + "; add it to methods()");
    running_ = &operation;
    return found->second(static_cast<Self&>(*this), operation, seen);
  }

  static MakeModel maker() {
    return [](const std::string& key) -> std::unique_ptr<Model> {
      auto made = std::make_unique<Self>();
      made->EntityModel::key_ = key;
      return made;
    };
  }

 protected:
  const std::string& key() const { return key_; }
  // What the client did and saw; inside a method. For what a reply alone does not tell.
  const Operation& operation() const { return *running_; }

 private:
  std::string key_;
  const Operation* running_ = nullptr;
};

}  // namespace troupe::simulations
