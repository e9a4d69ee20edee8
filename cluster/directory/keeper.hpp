// Keeps the directory: on every control node, at work on the one whose replica of the directory's
// group leads. Answers the nodes' long calls with what changed, fills the table of a new cluster,
// finds out which nodes are up and down, and orders what the balancer says.
//
// What it answers is never behind: it shows a version only when its own replica, as leader, has
// confirmed it by a read, and every change that it orders goes through that replica alone, so that
// a keeper that has been replaced without knowing changes nothing.
//
// A node that has a call open here over a link that is up, lives. One that had none for
// `down_after` is down, and up again when it calls.
//
// Threads: run_on() at each start of its actor; take() and look() from any thread; all else runs
// inside the actor. It outlives its actors.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "actors/client.hpp"
#include "actors/shard/consensus.hpp"
#include "actors/shard/vitals.hpp"
#include "cluster/directory/balancer.hpp"
#include "cluster/directory/loads.hpp"
#include "cluster/directory/reports.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/directory/table.hpp"
#include "runtime/platform/platform.hpp"

namespace troupe::cluster {

struct KeeperOptions {
  Duration down_after = std::chrono::seconds{5};
  Duration tick = std::chrono::seconds{1};  // while it keeps
  // A call is answered so long before its time is over.
  Duration answer_before = std::chrono::seconds{1};
  // Loads are added up so often. Nodes call at least as often.
  Duration observe = std::chrono::seconds{15};
  Duration advice_hold = AdviceOptions{}.hold;
  // A question that waits for news is answered after so long at the latest.
  Duration wait_max = std::chrono::minutes{1};
  BalanceOptions balance = {};
};

struct KeeperSpec {
  runtime::Platform* platform = nullptr;
  std::string node;
  // A call to this node's replica of the directory's group and to no other.
  std::function<void(actors::CallBase, actors::CallOptions, actors::ReplyTo)> local;
  std::shared_ptr<actors::ShardVitals> vitals;  // of that replica
  std::function<bool(const std::string& node)> linked;
  // What the table of this cluster begins with, and whether this node may begin it: one that lost
  // its data may not.
  DirectoryTable founding;
  bool may_found = false;
  // The table is newer, as its group has confirmed; inside the actor.
  std::function<void(const DirectoryTable&)> told = {};
  std::string founding_why = "the manifest says so";
  // The node has come to keep the directory; inside the actor.
  std::function<void()> began = {};
  KeeperOptions options = {};  // what the table says of the balancer goes before them
};

class DirectoryKeeper {
 public:
  using Answer = std::function<void(Result<std::string>)>;

  explicit DirectoryKeeper(KeeperSpec spec);

  // Begins anew; what an earlier actor had under way is dropped.
  void run_on(std::shared_ptr<actors::Executor> executor);

  // A DirectoryCall of a node; the answer is a DirectoryAnswer. UNAVAILABLE / DIRECTORY_STARTING.
  void take(const std::string& from, std::string bytes, MonotonicTime deadline, Answer answer);

  // The replica has changed its state, or has applied something.
  void look();

  // Whether this node keeps the directory, so that what told() said is not behind; any thread.
  bool keeps() const { return keeping_; }

 private:
  struct Waiting {
    std::uint64_t version = 0;  // that the node knows
    MonotonicTime deadline{};
    Answer answer;
    std::vector<LeadershipOrder> transfers = {};
  };

  // A question that is answered when there is news, or when its time is over.
  struct Question {
    DirectoryQuestion question;
    MonotonicTime until{};
    Answer answer;
  };

  void post(std::function<void()> job);
  template <class Response>
  void ask(actors::Call<Response> call, std::function<void(Result<Response>)> then);
  void change(const std::string& what, actors::Call<directory::v1::Changed> call,
              const directory::v1::Why& why);

  void read();
  void was_read(Result<DirectoryTable> newer);
  void keep(bool keeps);
  void taken(const std::string& from, const DirectoryCall& call, MonotonicTime deadline,
             Answer answer);
  void welcome(const DirectoryNode& self);
  void renew(const std::string& from, std::uint64_t theirs);
  void found();
  void tell();
  void answer(Waiting& waiting);
  void take_question(const DirectoryQuestion& question, MonotonicTime deadline, Answer answer);
  void tick();
  void look_for_the_dead();

  // keeper_questions.cpp
  void answer_question(const DirectoryQuestion& question, const Answer& answer);
  void look_at_questions(bool all);
  bool knows(const DirectoryQuestion& question) const;
  bool has_news(const DirectoryQuestion& question) const;
  LeftOnNodeReport left_on(const std::string& node) const;
  ControlReport control() const;
  ControlReport advised_control(const DirectoryQuestion& question) const;
  SplitReport split_of(const DirectoryQuestion& question) const;

  // keeper_balance.cpp
  BalanceInput balance_input() const;
  void balance();
  void set_places(const BalanceStep& step);
  void transfer(const BalanceStep& step);
  std::set<std::string> wanted_reports(const BalanceInput& input) const;
  directory::v1::Why why(std::string text) const;

  const KeeperSpec spec_;

  std::mutex mutex_;
  std::shared_ptr<actors::Executor> executor_;  // guarded by mutex_

  // Inside the actor.
  std::uint64_t life_ = 0;
  bool reading_ = false;
  bool read_again_ = false;
  bool keeps_ = false;
  std::atomic<bool> keeping_{false};  // the same, for any thread
  MonotonicTime keeps_since_{};
  bool ticking_ = false;
  DirectoryTable table_;
  std::map<std::string, Waiting> waiting_;     // by node
  std::map<std::string, MonotonicTime> seen_;  // by node: when it was last heard of
  std::set<std::string> changing_;             // what an order is under way for
  std::vector<Question> questions_;
  Reports reports_;
  Loads loads_;
  KeeperOptions options_;  // of the spec, with the balancer's policies
  MonotonicTime observed_{};
  std::map<std::string, MonotonicTime> transferred_;  // by shard: when that was last ordered
};

}  // namespace troupe::cluster
