// A router of a node, and what it asks of others.
#pragma once

#include <doctest/doctest.h>

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <deque>

#include "cluster/command_codec.hpp"
#include "cluster/router.hpp"
#include "simulations/world/world.hpp"

namespace troupe::cluster::test {

using namespace std::chrono_literals;

inline const actors::ServiceType& books() {
  static const actors::ServiceType type{"shelf.v1.Books",
                                        "shelf",
                                        actors::ServiceKind::entity,
                                        {{"Lend"}, {"Find", true}, {"Browse", true, true}},
                                        nullptr};
  return type;
}

inline Error not_leading() {
  return unavailable("NOT_LEADING", "this replica does not lead");
}

// As a replica says it, while the way there is well.
inline std::string said(Error why) {
  return encode_reply({std::move(why), {}});
}

inline Error link_down() {
  return unavailable("LINK_DOWN", "the link is down");
}

struct Asked {
  std::string node;
  wire::Command command;
  MonotonicTime deadline;
  std::function<void(Result<std::string>)> answer;

  void say(Result<actors::Reply> reply, const std::string& leader = {}) const {
    answer(encode_reply({std::move(reply), leader}));
  }
};

// Closures that wait for the test (cluster::Later is the mesh's); the world's clock goes on when
// they run.
class WaitingJobs final : public actors::Executor {
 public:
  explicit WaitingJobs(simulations::World& world) : world_(world) {}
  void post(std::function<void()> job) override { post_after(Duration{0}, std::move(job)); }
  void post_after(Duration delay, std::function<void()> job) override {
    waiting.push_back({delay, std::move(job)});
  }
  void run_one() {
    auto [delay, job] = std::move(waiting.front());
    waiting.pop_front();
    world_.run_for(delay);
    job();
  }
  std::deque<std::pair<Duration, std::function<void()>>> waiting;

 private:
  simulations::World& world_;
};

// A router of node n1, which, but for other places, holds no replica; n2, n3 and n4 do.
struct Rig {
  std::vector<Result<actors::Reply>> heard;  // first: calls that are dropped are answered
  simulations::World world{{.seed = 1}};
  Router router{world.outside(), {.node = "n1"}};
  std::shared_ptr<WaitingJobs> later = std::make_shared<WaitingJobs>(world);
  std::deque<Asked> asked;

  explicit Rig(const std::vector<std::string>& places = {"n2", "n3", "n4"}) {
    router.add_service(books(), {places});
    router.reach([this](const std::string& node, std::string bytes, MonotonicTime deadline,
                        std::function<void(Result<std::string>)> answer) {
      auto command = decode_command(bytes);
      REQUIRE(command);
      asked.push_back({node, *command, deadline, std::move(answer)});
    });
    router.use(later);
  }
  void call(std::uint32_t method = 0, Duration timeout = 10s) {
    router.send({&books(), method, "dune", "body"},
                {.caller = "ann", .timeout = timeout, .on_behalf_of = {"ann", "acme", "bob"}},
                [this](Result<actors::Reply> reply) { heard.push_back(std::move(reply)); });
  }
  actors::MessageId fresh_id() {
    return actors::MessageId::make(world.outside().clock().wall(), world.outside().random());
  }
  Asked next() {
    REQUIRE_FALSE(asked.empty());
    Asked one = std::move(asked.front());
    asked.pop_front();
    return one;
  }
  // Every question gets this answer, until so many calls are over; returns how many came.
  int fail_until_heard(const Result<std::string>& answer, std::size_t calls = 1) {
    int questions = 0;
    while (heard.size() < calls) {
      if (asked.empty()) {
        later->run_one();
        continue;
      }
      ++questions;
      next().answer(answer);
    }
    return questions;
  }
};

inline actors::Reply reply(const std::string& payload) {
  actors::Reply made;
  made.payload = payload;
  made.shard_index = 7;
  return made;
}

}  // namespace troupe::cluster::test
