/* Events that are not messages: what the caller wants, and what became of what it was told. */
#include <string.h>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/engine/engine_internal.h"

/* Commands and barriers travel without payload, but the engine wants an address to be there. It
 * neither reads nor frees it. */
static char no_payload;

static EngineResult simple_step(Engine* e, uint64_t now_ms, enum raft_event_type type,
                                EngineUpdate* update) {
  struct raft_event event = {.type = type};
  return engine_step(e, now_ms, &event, update);
}

EngineResult engine_submit(Engine* e, uint64_t now_ms, uint8_t type, unsigned n,
                           EngineUpdate* update) {
  if (n == 0 || (type != ENGINE_COMMAND && type != ENGINE_BARRIER))
    return engine_refuse(e, update, ENGINE_INVALID, "only commands and barriers are submitted so");
  if (!engine_reserve_entries(e, n)) return engine_out_of_memory(e, update);
  for (unsigned i = 0; i < n; i++) {
    e->entries[i] =
        (struct raft_entry){.term = e->raft.current_term, .type = type, .batch = &no_payload};
  }
  struct raft_event event = {.type = RAFT_SUBMIT};
  event.submit.entries = e->entries;
  event.submit.n = n;
  return engine_step(e, now_ms, &event, update);
}

static bool is_same(const struct raft_server* a, const ConfigurationServer* b) {
  return a->id == b->replica && strcmp(a->address, b->address) == 0;
}

/* Whether `to` differs from `from` by one server added at the end, one removed, or one role. The
 * engine keeps its followers' progress by position. */
static bool is_one_change(const struct raft_configuration* from, const ConfigurationServer* to,
                          unsigned n) {
  unsigned roles = 0;
  unsigned same = 0; /* leading servers with the same id */
  while (same < n && same < from->n && is_same(&from->servers[same], &to[same])) {
    if (to[same].role != from->servers[same].role) roles++;
    same++;
  }
  if (n == from->n) return same == n && roles == 1;
  if (roles != 0) return false;
  if (n == from->n + 1) return same == from->n;
  if (n + 1 != from->n) return false;
  for (unsigned i = same; i < n; i++) {
    if (!is_same(&from->servers[i + 1], &to[i]) || to[i].role != from->servers[i + 1].role)
      return false;
  }
  return true;
}

static bool has_voter(const ConfigurationServer* servers, unsigned n, uint64_t replica) {
  for (unsigned i = 0; i < n; i++) {
    if (servers[i].replica == replica) return servers[i].role == CONFIGURATION_VOTER;
  }
  return false;
}

EngineResult engine_submit_change(Engine* e, uint64_t now_ms, const void* configuration,
                                  size_t size, EngineUpdate* update) {
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  const int n = configuration_decode(configuration, size, servers);
  if (n < 0) return engine_refuse(e, update, ENGINE_INVALID, "not a configuration");
  if (e->raft.state != RAFT_LEADER)
    return engine_refuse(e, update, ENGINE_NOT_LEADER, "only the leader changes the configuration");
  if (!is_one_change(&e->raft.configuration, servers, (unsigned)n))
    return engine_refuse(e, update, ENGINE_INVALID, "not a change by exactly one server");
  if (!has_voter(servers, (unsigned)n, e->raft.id))
    return engine_refuse(e, update, ENGINE_INVALID, "a leader transfers its leadership first");
  if (e->raft.configuration.n == 1) {
    /* Alone it was never ticked: without this it would take the long silence for a lost majority
     * as soon as there is somebody to hear from. */
    const EngineResult result = simple_step(e, now_ms, RAFT_TIMEOUT, update);
    if (result != ENGINE_OK) return result;
  }
  struct raft_entry entry = {.term = e->raft.current_term, .type = RAFT_CHANGE};
  entry.batch = &no_payload;
  entry.buf.base = (void*)configuration;
  entry.buf.len = size;
  struct raft_event event = {.type = RAFT_SUBMIT};
  event.submit.entries = &entry;
  event.submit.n = 1;
  return engine_step(e, now_ms, &event, update);
}

EngineResult engine_persisted(Engine* e, uint64_t now_ms, uint64_t index, EngineUpdate* update) {
  if (index <= e->raft.last_stored || index > raft_last_index(&e->raft) ||
      e->raft.state == RAFT_CANDIDATE || e->raft.snapshot.installing)
    return engine_refuse(e, update, ENGINE_INVALID, "no entry waits to become durable there");
  struct raft_event event = {.type = RAFT_PERSISTED_ENTRIES};
  event.persisted_entries.index = index;
  return engine_step(e, now_ms, &event, update);
}

EngineResult engine_configuration(Engine* e, uint64_t now_ms, uint64_t index,
                                  const void* configuration, size_t size, EngineUpdate* update) {
  struct raft_event event = {.type = RAFT_CONFIGURATION};
  if (index == 0 || index > e->raft.commit_index)
    return engine_refuse(e, update, ENGINE_INVALID, "the configuration is not committed");
  if (!engine_read_configuration(configuration, size, &event.configuration.conf))
    return engine_refuse(e, update, ENGINE_INVALID, "not a configuration");
  event.configuration.index = index;
  return engine_step(e, now_ms, &event, update);
}

EngineResult engine_snapshot(Engine* e, uint64_t now_ms, uint64_t index,
                             uint64_t configuration_index, const void* configuration, size_t size,
                             EngineUpdate* update) {
  struct raft_event event = {.type = RAFT_SNAPSHOT};
  const struct raft_trail* trail = &e->raft.trail;
  if (index <= trail->snapshot.index || index <= trail->offset || index > e->raft.commit_index ||
      index > e->raft.last_stored || e->raft.snapshot.installing)
    return engine_refuse(e, update, ENGINE_INVALID, "no snapshot can be taken there");
  if (configuration_index == 0 || configuration_index > index ||
      !engine_read_configuration(configuration, size, &event.snapshot.metadata.configuration))
    return engine_refuse(e, update, ENGINE_INVALID, "the snapshot's configuration is not sound");
  event.snapshot.metadata.index = index;
  event.snapshot.metadata.configuration_index = configuration_index;
  return engine_step(e, now_ms, &event, update);
}

EngineResult engine_installed(Engine* e, uint64_t now_ms, EngineUpdate* update) {
  if (!e->raft.snapshot.installing)
    return engine_refuse(e, update, ENGINE_INVALID, "no snapshot is being installed");
  struct raft_event event = {.type = RAFT_PERSISTED_SNAPSHOT};
  event.persisted_snapshot.metadata = e->installing;
  event.persisted_snapshot.last = true;
  return engine_step(e, now_ms, &event, update);
}

EngineResult engine_timer(Engine* e, uint64_t now_ms, EngineUpdate* update) {
  return simple_step(e, now_ms, RAFT_TIMEOUT, update);
}

uint64_t engine_match(const Engine* e, uint64_t replica) {
  raft_index index = 0;
  return raft_match_index(&e->raft, replica, &index) == 0 ? index : 0;
}

EngineResult engine_transfer(Engine* e, uint64_t now_ms, uint64_t replica, EngineUpdate* update) {
  struct raft_event event = {.type = RAFT_TRANSFER};
  event.transfer.server_id = replica;
  return engine_step(e, now_ms, &event, update);
}
