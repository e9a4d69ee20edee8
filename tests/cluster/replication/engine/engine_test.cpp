// What the engine refuses, and what it makes of odd messages.
#include "tests/cluster/replication/engine/engines.hpp"

using namespace troupe::cluster::test;

namespace {

// A follower of a group of three, with `n` commands of term 1 behind the configuration.
struct Follower {
  explicit Follower(unsigned n = 0) {
    std::vector<EngineEntry> entries{{1, ENGINE_CHANGE, three.data(), three.size()}};
    for (unsigned i = 0; i < n; ++i) entries.push_back({1, ENGINE_COMMAND, nullptr, 0});
    EngineStart start{};
    start.term = 1;
    start.first_index = 1;
    start.entries = entries.data();
    start.n = n + 1;
    REQUIRE(engine_start(engine.get(), 0, &start, &update) == ENGINE_OK);
  }
  EngineMessage append(std::uint64_t prev, std::uint64_t prev_term, std::uint64_t commit,
                       const std::vector<EngineEntry>& entries, std::uint64_t term = 2) const {
    EngineMessage message{};
    message.type = ENGINE_APPEND_ENTRIES;
    message.peer = 2;
    message.term = term;
    message.append.prev_index = prev;
    message.append.prev_term = prev_term;
    message.append.commit = commit;
    message.append.entries = entries.data();
    message.append.n = static_cast<unsigned>(entries.size());
    return message;
  }
  EngineResult receive(EngineMessage message) {
    return engine_receive(engine.get(), 10, &message, &update);
  }

  const std::string three = configuration({{1, voter}, {2, voter}, {3, voter}});
  EnginePointer engine = open_engine(1);
  EngineUpdate update{};
};

const EngineEntry command{2, ENGINE_COMMAND, nullptr, 0};

}  // namespace

TEST_SUITE_BEGIN("engine");

TEST_CASE("options that make no sense open no engine") {
  for (const EngineOptions& options :
       {EngineOptions{0, 1, 300, 50, 1000, 64}, EngineOptions{1, 1, 300, 0, 1000, 64},
        EngineOptions{1, 1, 50, 50, 1000, 64}, EngineOptions{1, 1, 300, 50, 1000, 0}})
    CHECK(engine_open(&options) == nullptr);
}

TEST_CASE("a log that cannot be is refused at the start") {
  const auto one = configuration({{1, voter}});
  const EngineEntry change{1, ENGINE_CHANGE, one.data(), one.size()};
  const auto start_with = [](const EngineStart& start) {
    const auto engine = open_engine(1);
    EngineUpdate update;
    const auto result = engine_start(engine.get(), 0, &start, &update);
    if (result == ENGINE_INVALID) CHECK(std::string(engine_error(engine.get())) != "");
    return result;
  };
  const EngineStart good{1, 0, 0, 0, 0, nullptr, 0, 1, &change, 1};
  CHECK(start_with(good) == ENGINE_OK);
  auto bad = good;
  bad.first_index = 2;
  CHECK(start_with(bad) == ENGINE_INVALID);
  bad = good;
  bad.term = 0;
  CHECK(start_with(bad) == ENGINE_INVALID);
  for (const EngineEntry& entry :
       {EngineEntry{1, ENGINE_COMMAND, nullptr, 0},
        EngineEntry{2, ENGINE_CHANGE, one.data(), one.size()},
        EngineEntry{1, ENGINE_CHANGE, one.data(), one.size() - 1}, EngineEntry{1, 9, nullptr, 0},
        EngineEntry{0, ENGINE_CHANGE, one.data(), one.size()}}) {
    bad = good;
    bad.entries = &entry;
    CHECK(start_with(bad) == ENGINE_INVALID);
  }
  EngineStart snapshot{3, 0, 10, 2, 4, one.data(), one.size(), 11, nullptr, 0};
  CHECK(start_with(snapshot) == ENGINE_OK);
  bad = snapshot;
  bad.configuration_index = 11;
  CHECK(start_with(bad) == ENGINE_INVALID);
  bad = snapshot;
  bad.snapshot_term = 4;
  CHECK(start_with(bad) == ENGINE_INVALID);
  bad = snapshot;
  bad.configuration_size = 3;
  CHECK(start_with(bad) == ENGINE_INVALID);
  CHECK(start_with({0, 0, 0, 0, 0, nullptr, 0, 1, nullptr, 0}) == ENGINE_OK);  // joins later
}

TEST_CASE("events that do not fit are refused and change nothing") {
  Follower f(3);
  Engine* engine = f.engine.get();
  EngineUpdate u;
  EngineStart again{};
  CHECK(engine_start(engine, 0, &again, &u) == ENGINE_INVALID);
  CHECK(engine_submit(engine, 0, ENGINE_COMMAND, 1, &u) == ENGINE_NOT_LEADER);
  CHECK(engine_submit(engine, 0, ENGINE_CHANGE, 1, &u) == ENGINE_INVALID);
  CHECK(engine_submit(engine, 0, ENGINE_COMMAND, 0, &u) == ENGINE_INVALID);
  CHECK(engine_submit_change(engine, 0, f.three.data(), f.three.size(), &u) == ENGINE_NOT_LEADER);
  CHECK(engine_persisted(engine, 0, 4, &u) == ENGINE_INVALID);
  CHECK(engine_persisted(engine, 0, 5, &u) == ENGINE_INVALID);
  CHECK(engine_configuration(engine, 0, 2, f.three.data(), f.three.size(), &u) == ENGINE_INVALID);
  CHECK(engine_configuration(engine, 0, 1, f.three.data(), 5, &u) == ENGINE_INVALID);
  CHECK(engine_snapshot(engine, 0, 2, 1, f.three.data(), f.three.size(), &u) == ENGINE_INVALID);
  CHECK(engine_installed(engine, 0, &u) == ENGINE_INVALID);
  CHECK(engine_transfer(engine, 0, 2, &u) == ENGINE_NOT_LEADER);
  CHECK(engine_match(engine, 2) == 0);
  CHECK(engine_role(engine) == ENGINE_FOLLOWER);
  CHECK(engine_term(engine) == 1);
  CHECK(engine_commit(engine) == 1);
}

TEST_CASE("only changes by one server that keep the order are taken") {
  const auto result = [](const std::vector<std::pair<std::uint64_t, int>>& to) {
    Engines engines;
    const auto all = configuration({{1, voter}, {2, standby}, {3, standby}});
    engines.add(1, all);
    engines.run_for(10);
    const auto r = engines.change(1, configuration(to));
    engines.run_for(10);
    return r;
  };
  CHECK(result({{1, voter}, {2, voter}, {3, standby}}) == ENGINE_OK);
  CHECK(result({{1, voter}, {2, standby}}) == ENGINE_OK);
  CHECK(result({{1, voter}, {3, standby}}) == ENGINE_OK);
  CHECK(result({{1, voter}, {2, standby}, {3, standby}, {4, standby}}) == ENGINE_OK);
  CHECK(result({{1, voter}, {2, standby}, {3, standby}}) == ENGINE_INVALID);
  CHECK(result({{1, voter}, {2, voter}, {3, voter}}) == ENGINE_INVALID);
  CHECK(result({{1, voter}, {3, standby}, {2, standby}}) == ENGINE_INVALID);
  CHECK(result({{1, voter}, {2, standby}, {4, standby}}) == ENGINE_INVALID);
  CHECK(result({{1, voter}}) == ENGINE_INVALID);
  CHECK(result({{1, voter}, {4, standby}, {2, standby}, {3, standby}}) == ENGINE_INVALID);
  CHECK(result({{1, standby}, {2, voter}, {3, standby}}) == ENGINE_INVALID);
  CHECK(result({{2, voter}, {3, standby}}) == ENGINE_INVALID);
  CHECK(result({{1, voter}, {2, voter}, {3, standby}, {4, standby}}) == ENGINE_INVALID);
}

TEST_CASE("a batch is taken in pieces, each change first in its own") {
  Follower f;
  const auto four = configuration({{1, voter}, {2, voter}, {3, voter}, {4, standby}});
  const EngineEntry change{2, ENGINE_CHANGE, four.data(), four.size()};
  const std::vector<EngineEntry> entries{command, command, change, command, change};
  EngineMessage message = f.append(1, 1, 5, entries);
  REQUIRE(engine_receive(f.engine.get(), 10, &message, &f.update) == ENGINE_OK);
  CHECK(f.update.append_index == 2);
  CHECK(f.update.append_n == 2);
  CHECK(f.update.more);
  CHECK(f.update.term_or_vote);
  REQUIRE(engine_receive(f.engine.get(), 10, &message, &f.update) == ENGINE_OK);
  CHECK(f.update.append_index == 4);
  CHECK(f.update.append_n == 2);
  CHECK(f.update.more);
  CHECK(engine_commit(f.engine.get()) == 5);
  EngineUpdate u;
  REQUIRE(engine_configuration(f.engine.get(), 10, 4, four.data(), four.size(), &u) == ENGINE_OK);
  REQUIRE(engine_receive(f.engine.get(), 10, &message, &f.update) == ENGINE_OK);
  CHECK(f.update.append_index == 6);
  CHECK_FALSE(f.update.more);
  // Again: all of it is there, and nothing is appended.
  message = f.append(1, 1, 5, entries);
  int calls = 0;
  do {
    REQUIRE(engine_receive(f.engine.get(), 11, &message, &f.update) == ENGINE_OK);
    CHECK(f.update.append_index == 0);
    ++calls;
  } while (f.update.more);
  CHECK(calls == 3);
}

TEST_CASE("the rest of a batch is not taken when its beginning is refused") {
  Follower f;
  const auto four = configuration({{1, voter}, {2, voter}, {3, voter}, {4, standby}});
  const EngineEntry change{2, ENGINE_CHANGE, four.data(), four.size()};
  REQUIRE(f.receive(f.append(5, 2, 1, {command, change})) == ENGINE_OK);  // there is no entry 5
  CHECK_FALSE(f.update.more);
  REQUIRE(f.update.n_messages == 1);
  CHECK(f.update.messages[0].append_result.rejected == 5);
  CHECK(f.update.messages[0].append_result.last_index == 1);
  Follower g;
  REQUIRE(g.receive(g.append(1, 1, 1, {}, 5)) == ENGINE_OK);
  REQUIRE(g.receive(g.append(1, 1, 1, {command, change}, 4)) == ENGINE_OK);  // an old leader's
  CHECK_FALSE(g.update.more);
  REQUIRE(g.update.n_messages == 1);
  CHECK(g.update.messages[0].term == 5);
  CHECK(g.update.messages[0].append_result.last_index == 0);
}

TEST_CASE("conflicting entries are replaced, but committed ones stop the engine") {
  Follower f(3);
  REQUIRE(f.receive(f.append(2, 1, 1, {command})) == ENGINE_OK);
  CHECK(f.update.append_index == 3);
  EngineUpdate u;
  REQUIRE(engine_persisted(f.engine.get(), 11, 3, &u) == ENGINE_OK);
  REQUIRE(f.receive(f.append(3, 2, 3, {})) == ENGINE_OK);
  CHECK(engine_commit(f.engine.get()) == 3);
  const EngineEntry other{3, ENGINE_COMMAND, nullptr, 0};
  CHECK(f.receive(f.append(2, 1, 3, {other}, 3)) == ENGINE_FAILED);
  CHECK(f.receive(f.append(3, 2, 3, {})) == ENGINE_FAILED);
  CHECK(engine_timer(f.engine.get(), 5000, &u) == ENGINE_FAILED);
  CHECK(std::string(engine_error(f.engine.get())).find("consensus engine") != std::string::npos);
}

// A leader that looks for the end of our log goes back, and says what is committed all the same.
TEST_CASE("what is committed stays so when a message ends before it") {
  Follower f(9);
  REQUIRE(f.receive(f.append(10, 1, 8, {})) == ENGINE_OK);
  REQUIRE(engine_commit(f.engine.get()) == 8);
  REQUIRE(f.receive(f.append(3, 1, 9, {})) == ENGINE_OK);
  CHECK(engine_commit(f.engine.get()) == 8);
  const EngineEntry had{1, ENGINE_COMMAND, nullptr, 0};
  REQUIRE(f.receive(f.append(3, 1, 9, {had, had})) == ENGINE_OK);
  CHECK(engine_commit(f.engine.get()) == 8);
  REQUIRE(f.receive(f.append(9, 1, 10, {})) == ENGINE_OK);
  CHECK(engine_commit(f.engine.get()) == 9);
}

TEST_CASE("a late message about entries that a snapshot covers appends nothing") {
  Follower f(9);
  REQUIRE(f.receive(f.append(10, 1, 10, {})) == ENGINE_OK);
  EngineUpdate u;
  REQUIRE(engine_snapshot(f.engine.get(), 11, 8, 1, f.three.data(), f.three.size(), &u) ==
          ENGINE_OK);
  CHECK(engine_snapshot(f.engine.get(), 11, 8, 1, f.three.data(), f.three.size(), &u) ==
        ENGINE_INVALID);
  std::vector<EngineEntry> entries{{1, ENGINE_CHANGE, f.three.data(), f.three.size()}};
  for (int i = 0; i < 4; ++i) entries.push_back({1, ENGINE_COMMAND, nullptr, 0});
  REQUIRE(f.receive(f.append(0, 0, 5, entries)) == ENGINE_OK);
  CHECK(f.update.append_index == 0);
  REQUIRE(f.update.n_messages == 1);
  CHECK(f.update.messages[0].append_result.last_index == 8);
  for (int i = 0; i < 7; ++i) entries.push_back({1, ENGINE_COMMAND, nullptr, 0});  // up to 12
  REQUIRE(f.receive(f.append(0, 0, 5, entries)) == ENGINE_OK);
  CHECK(f.update.append_index == 11);
  CHECK(f.update.append_n == 2);
}

TEST_CASE("while a snapshot is installed others are ignored, and closing leaks nothing") {
  Follower f;
  EngineMessage message{};
  message.type = ENGINE_INSTALL_SNAPSHOT;
  message.peer = 2;
  message.term = 5;
  message.snapshot.last_index = 100;
  message.snapshot.last_term = 4;
  message.snapshot.configuration_index = 1;
  message.snapshot.configuration = f.three.data();
  message.snapshot.configuration_size = f.three.size();
  REQUIRE(f.receive(message) == ENGINE_OK);
  CHECK(f.update.install_index == 100);
  CHECK(f.update.install_term == 4);
  REQUIRE(f.receive(message) == ENGINE_OK);
  CHECK(f.update.install_index == 0);
  auto old = message;
  old.term = 4;
  REQUIRE(f.receive(old) == ENGINE_OK);
  EngineUpdate u;
  CHECK(engine_persisted(f.engine.get(), 10, 101, &u) == ENGINE_INVALID);
  CHECK(engine_snapshot(f.engine.get(), 10, 1, 1, f.three.data(), f.three.size(), &u) ==
        ENGINE_INVALID);
  SUBCASE("it completes") {
    REQUIRE(engine_installed(f.engine.get(), 20, &u) == ENGINE_OK);
    CHECK(engine_commit(f.engine.get()) == 100);
    REQUIRE(u.n_messages == 1);
    CHECK(u.messages[0].append_result.last_index == 100);
    REQUIRE(f.receive(message) == ENGINE_OK);  // it has that
    CHECK(f.update.install_index == 0);
  }
  SUBCASE("it is given up") {}
  for (std::uint64_t index : {0ull, 100ull}) {
    auto bad = message;
    bad.snapshot.last_index = index;
    bad.snapshot.configuration_size = index == 0 ? f.three.size() : 3;
    CHECK(f.receive(bad) == ENGINE_INVALID);
  }
}

TEST_CASE("time that steps back is taken for none") {
  Follower f;
  EngineUpdate u;
  REQUIRE(engine_timer(f.engine.get(), 10'000, &u) == ENGINE_OK);
  REQUIRE(f.receive(f.append(1, 1, 1, {})) == ENGINE_OK);  // at 10
  CHECK(engine_timeout(f.engine.get()) >= 10'300);
}

// Else it would ask for ever, and if its log is the longer one, nobody would be elected.
TEST_CASE("who asks for a vote in an old term hears of the new one before it stands") {
  Follower f;
  EngineMessage request{};
  request.type = ENGINE_REQUEST_VOTE;
  request.peer = 3;
  request.term = 5;
  REQUIRE(f.receive(request) == ENGINE_OK);
  REQUIRE(engine_term(f.engine.get()) == 5);
  request.peer = 2;
  request.term = 3;
  request.vote.pre_vote = true;
  request.vote.last_index = 9;
  request.vote.last_term = 2;
  REQUIRE(f.receive(request) == ENGINE_OK);
  REQUIRE(f.update.n_messages == 1);
  EngineMessage answer = f.update.messages[0];
  CHECK(answer.type == ENGINE_REQUEST_VOTE_RESULT);
  CHECK(answer.term == 5);
  CHECK_FALSE(answer.vote_result.granted);

  Follower asking;
  EngineUpdate u;
  REQUIRE(engine_timer(asking.engine.get(), engine_timeout(asking.engine.get()), &u) == ENGINE_OK);
  REQUIRE(engine_role(asking.engine.get()) == ENGINE_CANDIDATE);
  answer.peer = 3;
  REQUIRE(asking.receive(answer) == ENGINE_OK);
  CHECK(engine_term(asking.engine.get()) == 5);
}

TEST_CASE("a stand-by gives its vote, whoever led before, and once in a term") {
  const auto members = configuration({{1, standby}, {2, voter}, {3, voter}});
  const EngineEntry change{1, ENGINE_CHANGE, members.data(), members.size()};
  EngineStart start{};
  start.term = 1;
  start.first_index = 1;
  start.entries = &change;
  start.n = 1;
  const auto engine = open_engine(1);
  EngineUpdate update{};
  REQUIRE(engine_start(engine.get(), 0, &start, &update) == ENGINE_OK);
  const auto receive = [&](EngineMessage message) {
    return engine_receive(engine.get(), 10, &message, &update);
  };
  EngineMessage heartbeat{};
  heartbeat.type = ENGINE_APPEND_ENTRIES;
  heartbeat.peer = 2;
  heartbeat.term = 2;
  heartbeat.append.prev_index = 1;
  heartbeat.append.prev_term = 1;
  REQUIRE(receive(heartbeat) == ENGINE_OK);
  const auto votes_for = [&](std::uint64_t candidate, std::uint64_t last) {
    EngineMessage request{};
    request.type = ENGINE_REQUEST_VOTE;
    request.peer = candidate;
    request.term = 3;
    request.vote.last_index = last;
    request.vote.last_term = last == 0 ? 0 : 1;
    REQUIRE(receive(request) == ENGINE_OK);
    REQUIRE(update.n_messages == 1);
    return update.messages[0].vote_result.granted;
  };
  CHECK_FALSE(votes_for(2, 0));  // its log is shorter than ours
  CHECK(votes_for(3, 2));
  CHECK_FALSE(votes_for(2, 2));
  CHECK(engine_voters(engine.get(), nullptr, 0) == 2);  // it is a stand-by all the same
}

TEST_CASE("an answer to a vote that nobody asked for changes nothing") {
  Follower f;
  EngineMessage message{};
  message.type = ENGINE_REQUEST_VOTE_RESULT;
  message.peer = 2;
  message.term = 9;
  message.vote_result.granted = true;
  REQUIRE(f.receive(message) == ENGINE_OK);
  CHECK(engine_term(f.engine.get()) == 1);
  CHECK_FALSE(f.update.term_or_vote);
}

TEST_SUITE_END();
