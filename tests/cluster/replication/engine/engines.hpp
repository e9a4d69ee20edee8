// Bare engines joined by a network in memory, on virtual time in steps of a millisecond. Each has
// a log of its own that becomes durable a millisecond later.
#pragma once

#include <doctest/doctest.h>

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/engine/engine.h"

namespace troupe::cluster::test {

inline constexpr int voter = CONFIGURATION_VOTER;
inline constexpr int standby = CONFIGURATION_STANDBY;

inline std::string configuration(const std::vector<std::pair<std::uint64_t, int>>& servers) {
  std::vector<std::string> names;
  for (const auto& server : servers) names.push_back("n" + std::to_string(server.first));
  std::vector<ConfigurationServer> list;
  for (std::size_t i = 0; i < servers.size(); ++i)
    list.push_back(
        {servers[i].first, static_cast<std::uint8_t>(servers[i].second), names[i].c_str()});
  const int n = static_cast<int>(list.size());
  std::string bytes(configuration_encode(list.data(), n, nullptr, 0), '\0');
  REQUIRE_FALSE(bytes.empty());
  configuration_encode(list.data(), n, bytes.data(), bytes.size());
  return bytes;
}

struct EngineCloser {
  void operator()(Engine* engine) const { engine_close(engine); }
};
using EnginePointer = std::unique_ptr<Engine, EngineCloser>;

inline EnginePointer open_engine(std::uint64_t replica) {
  const EngineOptions options{replica, static_cast<unsigned>(replica), 300, 50, 60'000, 64};
  EnginePointer engine(engine_open(&options));
  REQUIRE(engine);
  return engine;
}

class Engines {
 public:
  struct Entry {
    std::uint64_t term;
    std::uint8_t type;
    std::string payload;
  };
  struct Letter {
    std::uint64_t due, from, to;
    EngineMessage message;
    std::vector<Entry> entries;
    std::string configuration;
  };
  struct Member {
    std::uint64_t id = 0;
    EnginePointer engine;
    std::uint64_t snapshot = 0, snapshot_term = 0;
    std::map<std::uint64_t, std::string> configurations;  // committed
    std::map<std::uint64_t, Entry> log;                   // behind the snapshot
    std::uint64_t persist_due = 0;
    std::uint64_t durable = 0;
    std::uint64_t installing = 0, installing_term = 0;
    std::uint64_t fired = 0;  // configurations up to here
    bool cut_off = false;
    std::uint64_t last() const { return log.empty() ? snapshot : log.rbegin()->first; }
  };

  // Members with this configuration at index 1, or, if it is empty, without anything.
  void add(std::uint64_t id, const std::string& first) {
    auto member = std::make_unique<Member>();
    member->id = id;
    member->engine = open_engine(id);
    EngineStart start{};
    EngineEntry entry{1, ENGINE_CHANGE, first.data(), first.size()};
    start.first_index = 1;
    if (!first.empty()) {
      start.term = 1;
      start.entries = &entry;
      start.n = 1;
      member->log[1] = {1, ENGINE_CHANGE, first};
      member->durable = 1;
    }
    EngineUpdate update;
    Member& m = *(members[id] = std::move(member));
    REQUIRE(engine_start(m.engine.get(), now, &start, &update) == ENGINE_OK);
    process(m, update, {});
  }

  Member& operator[](std::uint64_t id) { return *members.at(id); }

  // 0: none. One that knows of no later term.
  std::uint64_t leader() const {
    std::uint64_t best = 0, term = 0;
    for (const auto& [id, member] : members) {
      if (engine_role(member->engine.get()) == ENGINE_LEADER &&
          engine_term(member->engine.get()) > term) {
        best = id;
        term = engine_term(member->engine.get());
      }
    }
    return best;
  }

  void run_for(std::uint64_t ms) {
    for (const std::uint64_t end = now + ms; now < end;) tick();
  }
  bool run_while_not(const std::function<bool()>& condition, std::uint64_t patience_ms = 20'000) {
    for (const std::uint64_t end = now + patience_ms; !condition();) {
      if (now >= end) return false;
      tick();
    }
    return true;
  }

  EngineResult submit(std::uint64_t id, const std::vector<std::string>& payloads) {
    std::vector<Entry> entries;
    for (const auto& payload : payloads)
      entries.push_back({engine_term((*this)[id].engine.get()), ENGINE_COMMAND, payload});
    EngineUpdate update;
    const auto result = engine_submit((*this)[id].engine.get(), now, ENGINE_COMMAND,
                                      static_cast<unsigned>(payloads.size()), &update);
    if (result == ENGINE_OK) process((*this)[id], update, entries);
    return result;
  }
  EngineResult change(std::uint64_t id, const std::string& to) {
    EngineUpdate update;
    Member& m = (*this)[id];
    const auto result = engine_submit_change(m.engine.get(), now, to.data(), to.size(), &update);
    if (result == ENGINE_OK) process(m, update, {{engine_term(m.engine.get()), ENGINE_CHANGE, to}});
    return result;
  }
  // Forgets the log up to `index`.
  void cut(std::uint64_t id, std::uint64_t index) {
    Member& m = (*this)[id];
    const auto found = std::prev(m.configurations.upper_bound(index));
    EngineUpdate update;
    REQUIRE(engine_snapshot(m.engine.get(), now, index, found->first, found->second.data(),
                            found->second.size(), &update) == ENGINE_OK);
    m.snapshot_term = m.log.at(index).term;
    m.snapshot = index;
    m.log.erase(m.log.begin(), m.log.upper_bound(index));
    process(m, update, {});
  }
  void process(Member& m, const EngineUpdate& update, std::vector<Entry> fresh) {
    if (update.append_barrier) fresh = {{engine_term(m.engine.get()), ENGINE_BARRIER, ""}};
    if (update.append_index != 0) {
      m.log.erase(m.log.lower_bound(update.append_index), m.log.end());
      m.durable = std::min(m.durable, update.append_index - 1);
      REQUIRE(m.last() + 1 == update.append_index);
      for (unsigned i = 0; i < update.append_n; ++i)
        m.log[update.append_index + i] = fresh[fresh.size() - update.append_n + i];
      m.persist_due = now + 1;
    }
    for (unsigned i = 0; i < update.n_messages; ++i) post(m, update.messages[i]);
    if (update.install_index != 0) {
      m.installing = update.install_index;
      m.installing_term = update.install_term;
      m.log.clear();
      m.snapshot = m.installing;
      m.snapshot_term = m.installing_term;
    }
    if (update.role && engine_role(m.engine.get()) == ENGINE_LEADER && !update.append_barrier) {
      EngineUpdate barrier;
      REQUIRE(engine_submit(m.engine.get(), now, ENGINE_BARRIER, 1, &barrier) == ENGINE_OK);
      process(m, barrier, {{engine_term(m.engine.get()), ENGINE_BARRIER, ""}});
    }
    while (m.fired < engine_commit(m.engine.get())) {
      const auto entry = m.log.find(++m.fired);
      if (entry == m.log.end() || entry->second.type != ENGINE_CHANGE) continue;
      const std::string& bytes = m.configurations[m.fired] = entry->second.payload;
      EngineUpdate fired;
      REQUIRE(engine_configuration(m.engine.get(), now, m.fired, bytes.data(), bytes.size(),
                                   &fired) == ENGINE_OK);
      process(m, fired, {});
    }
  }

  std::map<std::uint64_t, std::unique_ptr<Member>> members;
  std::uint64_t now = 1000;
  unsigned snapshots_sent = 0;

 private:
  void post(Member& from, const EngineMessage& message) {
    Letter letter{now + 1, from.id, message.peer, message, {}, {}};
    if (message.type == ENGINE_APPEND_ENTRIES) {
      for (unsigned i = 1; i <= message.append.n; ++i)
        letter.entries.push_back(from.log.at(message.append.prev_index + i));
    } else if (message.type == ENGINE_INSTALL_SNAPSHOT) {
      ++snapshots_sent;
      letter.configuration = from.configurations.at(message.snapshot.configuration_index);
    }
    letters_.push_back(std::move(letter));
  }
  void deliver(const Letter& letter) {
    if (!members.count(letter.to)) return;
    Member& to = (*this)[letter.to];
    if (to.cut_off || (*this)[letter.from].cut_off) return;
    EngineMessage message = letter.message;
    message.peer = letter.from;
    std::vector<EngineEntry> entries;
    for (const Entry& entry : letter.entries)
      entries.push_back({entry.term, entry.type, entry.payload.data(), entry.payload.size()});
    if (message.type == ENGINE_APPEND_ENTRIES) {
      message.append.entries = entries.data();
      message.append.n = static_cast<unsigned>(entries.size());
    } else if (message.type == ENGINE_INSTALL_SNAPSHOT) {
      message.snapshot.configuration = letter.configuration.data();
      message.snapshot.configuration_size = letter.configuration.size();
    }
    EngineUpdate update;
    const auto first = letter.message.append.prev_index + 1;
    do {
      REQUIRE(engine_receive(to.engine.get(), now, &message, &update) == ENGINE_OK);
      std::vector<Entry> fresh;
      for (unsigned i = 0; i < update.append_n; ++i)
        fresh.push_back(letter.entries.at(update.append_index - first + i));
      if (update.install_index != 0)
        to.configurations = {{message.snapshot.configuration_index, letter.configuration}};
      process(to, update, std::move(fresh));
    } while (update.more);
  }
  void tick() {
    ++now;
    for (std::size_t n = letters_.size(); n > 0 && !letters_.empty() && letters_.front().due <= now;
         --n) {
      const Letter letter = std::move(letters_.front());
      letters_.pop_front();
      deliver(letter);
    }
    for (auto& [id, member] : members) {
      Member& m = *member;
      EngineUpdate update;
      if (m.installing != 0) {
        m.installing = 0;
        m.durable = m.fired = m.snapshot;
        REQUIRE(engine_installed(m.engine.get(), now, &update) == ENGINE_OK);
        process(m, update, {});
      } else if (m.persist_due != 0 && m.persist_due <= now) {
        m.persist_due = 0;
        if (m.durable < m.last()) {
          m.durable = m.last();
          REQUIRE(engine_persisted(m.engine.get(), now, m.durable, &update) == ENGINE_OK);
          process(m, update, {});
        }
      }
      if (engine_timeout(m.engine.get()) <= now) {
        REQUIRE(engine_timer(m.engine.get(), now, &update) == ENGINE_OK);
        process(m, update, {});
      }
    }
  }

  std::deque<Letter> letters_;
};

}  // namespace troupe::cluster::test
