#include "stage.hpp"

#include <doctest/doctest.h>

#include <algorithm>

namespace troupe::actors::supervision_test {
namespace {

using FailAtom = caf::atom_constant<caf::atom("fail")>;
using EndAtom = caf::atom_constant<caf::atom("end")>;

}  // namespace

Stage::Stage() {
  platform.coordinator = &coordinator();
}

Stage::~Stage() {
  if (root_) {
    deaf.clear();
    ask_root_to_end();
    advance(1h);
    CHECK(root_ended());
  }
  CHECK(actors_.empty());
  for (auto& [id, actor] : actors_) caf::anon_send_exit(actor, caf::exit_reason::kill);
  actors_.clear();
  root_ = nullptr;
  run();
}

ChildSpec Stage::child(const std::string& id, Restart restart) {
  ChildSpec spec;
  spec.id = id;
  spec.restart = restart;
  spec.start = [this, id](caf::event_based_actor* supervisor) {
    if (failing_starts.count(id) > 0) {
      notes_.push_back("!" + id);
      throw std::runtime_error("no " + id + " today");
    }
    auto actor = supervisor->spawn([this, id](caf::event_based_actor* self) -> caf::behavior {
      end_on_exception(self);
      self->set_exit_handler([this, id, self](caf::exit_msg& message) {
        if (deaf.count(id) == 0) self->quit(message.reason);
      });
      return {
          [](FailAtom, const std::string& what) { throw std::runtime_error(what); },
          [self](EndAtom, const caf::error& reason) { self->quit(reason); },
      };
    });
    notes_.push_back("+" + id);
    actors_[id] = actor;
    actor->attach_functor([this, id](const caf::error&) {
      notes_.push_back("-" + id);
      actors_.erase(id);
    });
    return actor;
  };
  return spec;
}

ChildSpec Stage::supervisor(const std::string& id, std::vector<std::string> path,
                            SupervisorSpec spec) {
  ChildSpec child_spec;
  child_spec.id = id;
  child_spec.shutdown = Duration::max();
  child_spec.start = [this, id, path, spec](caf::event_based_actor* parent) {
    auto actor = spawn_supervisor(parent->system(), {&platform, tree}, path, spec);
    notes_.push_back("+" + id);
    actors_[id] = actor;
    actor->attach_functor([this, id](const caf::error&) {
      notes_.push_back("-" + id);
      actors_.erase(id);
    });
    return actor;
  };
  return child_spec;
}

SupervisorSpec Stage::children(Strategy strategy, std::vector<Restart> kinds) {
  SupervisorSpec spec;
  spec.strategy = strategy;
  spec.backoff = {10ms, 5s, 0.0};
  char id = 'a';
  for (const auto kind : kinds) spec.children.push_back(child(std::string{id++}, kind));
  return spec;
}

void Stage::start(SupervisorSpec spec) {
  root_ = spawn_supervisor(system_, {&platform, tree}, {}, std::move(spec));
  root_->attach_functor([this](const caf::error& reason) { root_reason_ = reason; });
  run();
}

void Stage::fail(const std::string& id, const std::string& what) {
  caf::anon_send(actors_.at(id), FailAtom::value, what);
  run();
}

void Stage::finish(const std::string& id) {
  end(id, caf::error{});
}

void Stage::end(const std::string& id, caf::error reason) {
  caf::anon_send(actors_.at(id), EndAtom::value, std::move(reason));
  run();
}

void Stage::limit_root(const RestartLimits& limits) {
  set_limits(root_, limits);
  run();
}

void Stage::ask_root_to_end(caf::error reason) {
  root_->enqueue(nullptr, caf::make_message_id(),
                 caf::make_message(caf::exit_msg{root_.address(), std::move(reason)}), nullptr);
  run();
}

void Stage::run() {
  coordinator().run();
}

void Stage::advance(Duration by) {
  auto& clock = coordinator().clock();
  const auto until = clock.current_time + by;
  run();
  while (!clock.schedule().empty() && clock.schedule().begin()->first <= until) {
    clock.advance_time(std::max<Duration>(clock.schedule().begin()->first - clock.now(), 0ns));
    run();
  }
  clock.advance_time(until - clock.now());
  run();
}

Notes Stage::take_notes() {
  return std::exchange(notes_, {});
}

SupervisionTree::Node Stage::node(const std::vector<std::string>& path) const {
  auto found = tree->snapshot();
  for (const auto& id : path) {
    const auto child = std::find_if(found.children.begin(), found.children.end(),
                                    [&](const auto& one) { return one.id == id; });
    REQUIRE(child != found.children.end());
    auto next = *child;
    found = std::move(next);
  }
  return found;
}

std::vector<FakePlatform::Line> Stage::log(const std::string& event) const {
  std::vector<FakePlatform::Line> found;
  for (const auto& line : platform.lines)
    if (line.event == event) found.push_back(line);
  return found;
}

}  // namespace troupe::actors::supervision_test
