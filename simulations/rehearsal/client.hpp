// A client of a rehearsal: calls services over HTTP as a careful caller in production would, and
// writes down what it asked and what it was told.
//
// Every command has an Idempotency-Key of its own, one in two of them a UUID that says its time. A
// call that is lost, or answered with "not now" (408, 429, 500, 503, 504, 507), is sent again under
// the same key until it is answered otherwise. One command in twenty gives up early, after a try or
// a short while, and one in fifty has no key and is sent once only: their outcome stays unknown.
// One in thirty that was answered is sent again a little later: it must be answered the same.
#pragma once

#include <google/protobuf/message.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "actors/client.hpp"
#include "simulations/rehearsal/history.hpp"
#include "simulations/rehearsal/http_link.hpp"
#include "simulations/rehearsal/script.hpp"
#include "simulations/world/check.hpp"

namespace troupe::simulations {

// What came of a call.
template <class Response>
class Answer {
 public:
  Answer() = default;
  explicit Answer(Response reply) : reply_(std::move(reply)) {}
  explicit Answer(Error refusal) : refusal_(std::move(refusal)) {}

  bool ok() const { return reply_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Response& operator*() const { return *reply_; }
  const Response* operator->() const { return &*reply_; }

  // An error that says "no effect"; its reason is in `refusal()`.
  bool refused() const { return refusal_.has_value(); }
  const Error& refusal() const { return *refusal_; }
  bool refused(std::string_view reason) const { return refused() && refusal_->reason == reason; }

  // Nobody can say whether it took effect.
  bool unknown() const { return !ok() && !refused(); }

 private:
  std::optional<Response> reply_;
  std::optional<Error> refusal_;
};

// What all clients of a run share.
struct ClientSetting {
  World& world;
  std::reference_wrapper<History> history;
  std::vector<runtime::Address> gateways;
  // The part of the run in which clients begin new work.
  bool running = true;
  // How long after its beginning a command may be sent again under its key: less than the window in
  // which a repetition is recognised.
  Duration retry_max = std::chrono::hours{1};
  // How long after it was given up a request may still be on its way or wait in a node.
  Duration lingering = std::chrono::hours{1};
  // Exceptions of handlers are among the faults: HANDLER_FAILED then says "no effect".
  bool handlers_may_throw = false;
  // Something that no model knows did not hold: its check, when it was seen and what it was.
  std::function<void(const std::string& check, const std::string& what)> complain = {};
  // An operator may let the cluster go on without what was acknowledged last.
  bool answers_may_be_lost = false;
  // Whether the answer rested on what was lost since.
  std::function<bool(const Operation&)> is_lost = {};
  // Called with every operation that has ended.
  std::function<void(const Operation&)> observe = {};
};

class Client {
 public:
  // `number`: names its streams of random numbers. A patient client gives no command up.
  Client(ClientSetting& setting, std::string name, std::uint64_t number, bool patient);

  // Whether the part of the run with faults goes on; when it is over, scripts end soon.
  bool running() const { return setting_.running; }
  Duration now() const { return setting_.world.now(); }
  const std::string& name() const { return name_; }

  template <class Response>
  Task<Answer<Response>> call(actors::Call<Response> call) {
    const auto answer = co_await perform(std::move(call));
    if (answer.outcome == Operation::Outcome::success) {
      Response reply;
      check(reply.ParseFromString(answer.reply), "a reply that was read as JSON does not parse");
      co_return Answer<Response>{std::move(reply)};
    }
    if (answer.outcome == Operation::Outcome::refused)
      co_return Answer<Response>{Error{Code::unknown, answer.reason, answer.reason}};
    co_return Answer<Response>{};
  }

  Task<void> wait(Duration time) { return wait_in(setting_.world, time); }

  // --- keys that were used, check "reply once" ---------------------------------------------------
  // Sends the newest command that succeeded once more under its key: the same reply must come.
  // Nothing happens when there is none, its time is over, or running() ends before an answer. If
  // its effect was lost meanwhile, it takes effect now, and any reply may come.
  Task<void> repeat();
  // The same of any command that succeeded under a key, whoever sent it, also when running() is
  // over.
  Task<void> repeat(const Operation& first);
  // Sends another request of the same method and entity under that key: it must be refused. Nothing
  // happens if the newest command was to another one or the same, or where answers may be lost:
  // what was done under the key would be what this request says.
  Task<void> misuse(actors::CallBase other);

  // A check of the scenario's own does not hold; the run has failed.
  void complain(const std::string& check, const std::string& what) {
    if (setting_.complain) setting_.complain(check, what);
  }

  // What all clients did so far.
  const History& history() const { return setting_.history; }

  // --- this client's own choices ----------------------------------------------------------------
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    return random_.between(low, high);
  }
  bool one_in(std::uint64_t n) { return random_.between(1, n) == 1; }
  Duration between(Duration low, Duration high);

  // The call that it waits for, or null.
  const Operation* pending() const { return pending_; }

  // Any call, as it is written down in the history.
  Task<Operation> perform(actors::CallBase call);

  virtual ~Client() = default;

 protected:
  World& world() { return setting_.world; }

 private:
  struct Patience {
    unsigned attempts = UINT_MAX;
    Duration until = Duration::max();
    bool keyed = true;
  };
  // A command that succeeded under a key.
  struct Sent {
    const Operation* operation;
    actors::CallBase call;
    std::string header;
    Duration until;  // the key is good so long
  };
  // Until an answer decides.
  Task<void> use_key_again(actors::CallBase call, bool also_at_the_end = false);
  void check_reused_key(const Sent& first, const actors::CallBase& call,
                        const HttpResponseText& response);

  Patience patience(const Operation& operation);
  std::string key_header(const Operation& operation);
  // Takes the response over into the operation; false: try again.
  bool conclude(Operation& operation, const actors::CallBase& call, HttpResponseText response);

  ClientSetting& setting_;
  std::string name_;
  std::uint64_t number_;
  bool patient_;
  RandomStream random_;   // for the script
  RandomStream retries_;  // for what this class draws
  HttpLink link_;
  const Operation* pending_ = nullptr;
  std::optional<Sent> newest_;
};

}  // namespace troupe::simulations
