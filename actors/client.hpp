// Calling services: what generated references return, and who carries it out.
//
//   AccountsRef alice{"alice"};
//   client.call(alice.Deposit(request), {}, [](Result<v1::Account> account) { ... });
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "actors/on_behalf_of.hpp"
#include "actors/request.hpp"
#include "actors/service.hpp"
#include "runtime/result.hpp"

namespace troupe::actors {

// A call that has not been made: plain data, made by a generated reference.
struct CallBase {
  const ServiceType* service = nullptr;
  std::uint32_t method = 0;
  std::string key;
  std::string payload;
};

template <class Response>
struct Call : CallBase {};

// Every member has a default, so that {.timeout = ...} compiles without a warning.
struct CallOptions {
  // The id under which the command takes effect once. Made fresh when not given; a caller that
  // retries gives the same one again.
  std::optional<MessageId> id = std::nullopt;
  std::string caller = {};  // scope of the id
  Duration timeout = std::chrono::seconds{10};
  std::string trace = {};
  OnBehalfOf on_behalf_of = {};
  // Run only if the entity has this version (Reply::version), 0: if there is none. Else
  // FAILED_PRECONDITION / VERSION_MISMATCH.
  std::optional<std::uint64_t> if_version = std::nullopt;
  bool fresh = false;  // the shard's leader answers a stale_ok method as it would any other read
};

// Finds the leader of a key's shard and hands the request over. Any thread may call. Implemented by
// cluster/router; a test gives its own.
class Client {
 public:
  virtual ~Client() = default;

  // `reply_to` is called exactly once, possibly before this returns.
  virtual void send(CallBase call, CallOptions options, ReplyTo reply_to) = 0;

  // Runs `sends` on this thread; what it sends may go on its way together, when it returns.
  virtual void together(const std::function<void()>& sends) { sends(); }

  template <class Response>
  void call(Call<Response> call, CallOptions options,
            std::function<void(Result<Response>)> reply_to) {
    send(std::move(call), std::move(options),
         [reply_to = std::move(reply_to)](Result<Reply> reply) {
           if (!reply) return reply_to(std::move(reply).error());
           Response response;
           if (!response.ParseFromString(reply->payload))
             return reply_to(
                 internal("REPLY_MALFORMED", "a stored reply does not parse as its message"));
           reply_to(std::move(response));
         });
  }
};

}  // namespace troupe::actors
