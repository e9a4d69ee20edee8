#include "actors/shard/shard_actor.hpp"

#include <algorithm>
#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>
#include <optional>

#include "actors/supervision.hpp"

namespace troupe::actors {
namespace {

// A closure in a message. Shared, because CAF copies messages; run once.
struct Job {
  std::shared_ptr<std::function<void()>> run;
};

struct ShardJob {
  std::shared_ptr<std::function<void(Shard&)>> run;
};

struct Requests {
  std::shared_ptr<std::vector<RequestPtr>> all;
};

thread_local RequestBatch* batch_of_thread = nullptr;

}  // namespace
}  // namespace troupe::actors

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::RequestPtr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::Requests)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::Job)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ShardJob)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(troupe::actors::ShardOptions)

namespace troupe::actors {
namespace {

class ActorExecutor final : public Executor {
 public:
  explicit ActorExecutor(const caf::actor& actor) : address_(actor.address()) {}

  void post(std::function<void()> job) override {
    if (const caf::actor actor = alive())
      caf::anon_send(actor, Job{std::make_shared<std::function<void()>>(std::move(job))});
  }
  void post_after(Duration delay, std::function<void()> job) override {
    if (const caf::actor actor = alive())
      caf::delayed_anon_send(actor, delay,
                             Job{std::make_shared<std::function<void()>>(std::move(job))});
  }

 private:
  caf::actor alive() const { return caf::actor_cast<caf::actor>(address_); }

  const caf::actor_addr address_;  // weak: closures must not keep the actor alive
};

// The executor of one life of a shard: what is left of an earlier life is dropped.
class LifeExecutor final : public Executor, public std::enable_shared_from_this<LifeExecutor> {
 public:
  explicit LifeExecutor(std::shared_ptr<Executor> executor) : executor_(std::move(executor)) {}

  void post(std::function<void()> job) override { executor_->post(guarded(std::move(job))); }
  void post_after(Duration delay, std::function<void()> job) override {
    executor_->post_after(delay, guarded(std::move(job)));
  }
  void end() { over_ = true; }  // inside the actor

 private:
  std::function<void()> guarded(std::function<void()> job) {
    return [self = shared_from_this(), job = std::move(job)] {
      if (!self->over_) job();
    };
  }

  const std::shared_ptr<Executor> executor_;
  bool over_ = false;  // touched inside the actor
};

// Counts the time of one message. Two looks at the clock cost a hundredth of a command.
class Busy {
 public:
  explicit Busy(const ShardSurroundings& surroundings)
      : clock_(surroundings.platform->clock()),
        vitals_(surroundings.vitals),
        since_(clock_.now()) {}
  ~Busy() {
    vitals_->busy_ns.fetch_add(std::chrono::nanoseconds{clock_.now() - since_}.count(),
                               std::memory_order_relaxed);
  }
  Busy(const Busy&) = delete;
  Busy& operator=(const Busy&) = delete;

 private:
  runtime::Clock& clock_;
  const std::shared_ptr<ShardVitals> vitals_;  // the message may end the actor
  const MonotonicTime since_;
};

class ShardActor final : public caf::event_based_actor {
 public:
  ShardActor(caf::actor_config& config, ShardSpec spec, ShardSurroundings surroundings)
      : caf::event_based_actor(config),
        spec_(std::move(spec)),
        surroundings_(std::move(surroundings)) {}

  const char* name() const override { return "shard"; }

 protected:
  caf::behavior make_behavior() override {
    end_on_exception(this);
    set_exit_handler([this](const caf::exit_msg& message) {
      if (message.reason != caf::exit_reason::user_shutdown || !shard_) return quit(message.reason);
      shard_->stop([this] { quit(caf::exit_reason::user_shutdown); });
    });
    begin();
    return {
        [this](const RequestPtr& request) {
          const Busy busy{surroundings_};
          shard_->handle(request);
        },
        [this](const Requests& requests) {
          const Busy busy{surroundings_};
          for (RequestPtr& request : *requests.all) {
            if (ended_) return;
            shard_->handle(std::move(request));
          }
        },
        [this](const Job& job) {
          const Busy busy{surroundings_};
          (*job.run)();
        },
        [this](const ShardJob& job) {
          const Busy busy{surroundings_};
          (*job.run)(*shard_);
        },
        [this](const ShardOptions& options) {
          spec_.options = options;
          shard_->set_options(options);
        },
    };
  }

  // Whoever still holds the ended actor, such as a worker that is about to post to it, must not be
  // who lets go of the worker's own queue.
  void on_exit() override {
    shard_.reset();
    surroundings_ = {};
  }

 private:
  void begin() {
    const auto executor = executor_of(caf::actor_cast<caf::actor>(this));
    life_ = std::make_shared<LifeExecutor>(executor);
    shard_.emplace(spec_, surroundings_, life_, [this, executor](const Error& why) {
      if (why.reason == file_replaced_reason) {
        life_->end();  // nothing of this life runs any more, but the caller of this
        return executor->post([this] {
          if (!shard_) return;
          shard_.reset();
          begin();
        });
      }
      // Lost or rotten data is not cured by a restart: the node stops and says so.
      if (why.code == Code::data_loss) surroundings_.platform->fail_stop(why);
      ended_ = true;
      quit(to_caf_error(why));
    });
    shard_->start();
  }

  ShardSpec spec_;
  ShardSurroundings surroundings_;  // empty once it has ended
  std::shared_ptr<LifeExecutor> life_;
  std::optional<Shard> shard_;
  bool ended_ = false;  // by a failure; what comes after it is dropped
};

}  // namespace

caf::actor spawn_shard(caf::actor_system& system, ShardSpec spec, ShardSurroundings surroundings) {
  return system.spawn<ShardActor>(std::move(spec), std::move(surroundings));
}

void send_request(const caf::actor& shard, RequestPtr request) {
  if (batch_of_thread) return batch_of_thread->add(shard, std::move(request));
  caf::anon_send(shard, std::move(request));
}

RequestBatch::RequestBatch() {
  if (!batch_of_thread) batch_of_thread = this;
}

RequestBatch::~RequestBatch() {
  if (batch_of_thread != this) return;
  batch_of_thread = nullptr;
  for (auto& [shard, requests] : waiting_) {
    if (requests.size() == 1)
      send_request(shard, std::move(requests.front()));
    else
      caf::anon_send(shard,
                     Requests{std::make_shared<std::vector<RequestPtr>>(std::move(requests))});
  }
}

void RequestBatch::add(const caf::actor& shard, RequestPtr request) {
  auto found = std::ranges::find(waiting_, shard, [](const auto& one) { return one.first; });
  if (found == waiting_.end()) found = waiting_.insert(found, {shard, {}});
  found->second.push_back(std::move(request));
}

void send_checkpoint(const caf::actor& shard) {
  send_job(shard, [](Shard& to) { to.request_checkpoint(); });
}

void send_hand_over(const caf::actor& shard, std::shared_ptr<void> ticket,
                    const std::string& node) {
  send_job(shard,
           [ticket = std::move(ticket), node](Shard& to) { to.hand_over([ticket] {}, node); });
}

void send_options(const caf::actor& shard, const ShardOptions& options) {
  caf::anon_send(shard, options);
}

void send_job(const caf::actor& shard, std::function<void(Shard&)> job) {
  caf::anon_send(shard, ShardJob{std::make_shared<std::function<void(Shard&)>>(std::move(job))});
}

caf::actor spawn_executor(caf::actor_system& system) {
  return system.spawn([](caf::event_based_actor*) -> caf::behavior {
    return {[](const Job& job) { (*job.run)(); }};
  });
}

std::shared_ptr<Executor> executor_of(const caf::actor& actor) {
  return std::make_shared<ActorExecutor>(actor);
}

}  // namespace troupe::actors
