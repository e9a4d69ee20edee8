#include "cluster/replication/engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/replication/engine/configuration.h"
#include "cluster/replication/engine/engine_internal.h"

_Static_assert((int)ENGINE_COMMAND == RAFT_COMMAND && (int)ENGINE_BARRIER == RAFT_BARRIER &&
                   (int)ENGINE_CHANGE == RAFT_CHANGE,
               "entry types are stored in logs");
_Static_assert((int)ENGINE_APPEND_ENTRIES == RAFT_APPEND_ENTRIES &&
                   (int)ENGINE_TIMEOUT_NOW == RAFT_TIMEOUT_NOW,
               "message types");
_Static_assert((int)CONFIGURATION_STANDBY == RAFT_STANDBY && (int)CONFIGURATION_VOTER == RAFT_VOTER,
               "roles are stored in configurations");

EngineResult engine_refuse(Engine* e, EngineUpdate* update, EngineResult result, const char* why) {
  memset(update, 0, sizeof *update);
  if (e->failed) return ENGINE_FAILED;
  snprintf(e->error, sizeof e->error, "%s", why);
  if (result == ENGINE_FAILED) e->failed = true;
  return result;
}

bool engine_reserve_entries(Engine* e, unsigned n) {
  if (n <= e->entries_capacity) return true;
  struct raft_entry* entries = realloc(e->entries, n * sizeof *entries);
  if (entries == NULL) return false;
  e->entries = entries;
  e->entries_capacity = n;
  return true;
}

/* --- messages out ----------------------------------------------------------------------------- */

static void translate(const struct raft_message* from, EngineMessage* to) {
  memset(to, 0, sizeof *to);
  to->type = (uint8_t)from->type;
  to->peer = from->server_id;
  switch (from->type) {
    case RAFT_APPEND_ENTRIES:
      to->term = from->append_entries.term;
      to->append.prev_index = from->append_entries.prev_log_index;
      to->append.prev_term = from->append_entries.prev_log_term;
      to->append.commit = from->append_entries.leader_commit;
      to->append.n = from->append_entries.n_entries;
      break;
    case RAFT_APPEND_ENTRIES_RESULT:
      to->term = from->append_entries_result.term;
      to->append_result.rejected = from->append_entries_result.rejected;
      to->append_result.last_index = from->append_entries_result.last_log_index;
      break;
    case RAFT_REQUEST_VOTE:
      to->term = from->request_vote.term;
      to->vote.last_index = from->request_vote.last_log_index;
      to->vote.last_term = from->request_vote.last_log_term;
      to->vote.disrupt_leader = from->request_vote.disrupt_leader;
      to->vote.pre_vote = from->request_vote.pre_vote;
      break;
    case RAFT_REQUEST_VOTE_RESULT:
      to->term = from->request_vote_result.term;
      to->vote_result.granted = from->request_vote_result.vote_granted;
      to->vote_result.pre_vote = from->request_vote_result.pre_vote;
      break;
    case RAFT_INSTALL_SNAPSHOT:
      to->term = from->install_snapshot.term;
      to->snapshot.last_index = from->install_snapshot.last_index;
      to->snapshot.last_term = from->install_snapshot.last_term;
      to->snapshot.configuration_index = from->install_snapshot.conf_index;
      break;
    case RAFT_TIMEOUT_NOW:
      to->term = from->timeout_now.term;
      to->timeout_now.last_index = from->timeout_now.last_log_index;
      to->timeout_now.last_term = from->timeout_now.last_log_term;
      break;
  }
}

static bool translate_messages(Engine* e, const struct raft_update* from, EngineUpdate* to) {
  const unsigned n = from->messages.n;
  if (n > e->messages_capacity) {
    EngineMessage* messages = realloc(e->messages, n * sizeof *messages);
    if (messages == NULL) return false;
    e->messages = messages;
    e->messages_capacity = n;
  }
  for (unsigned i = 0; i < n; i++) translate(&from->messages.batch[i], &e->messages[i]);
  to->messages = e->messages;
  to->n_messages = n;
  return true;
}

/* --- one step --------------------------------------------------------------------------------- */

static EngineResult step_failed(Engine* e, EngineUpdate* update, int error) {
  switch (error) {
    case RAFT_NOTLEADER:
      return engine_refuse(e, update, ENGINE_NOT_LEADER,
                           "not the leader, or handing leadership over");
    case RAFT_CANTCHANGE:
      return engine_refuse(e, update, ENGINE_CANNOT_CHANGE,
                           "another change of the configuration is under way");
    case RAFT_BADID:
    case RAFT_NOTFOUND:
      return engine_refuse(e, update, ENGINE_INVALID, "no such voter to hand leadership to");
    default: {
      char why[sizeof e->error];
      snprintf(why, sizeof why, "the consensus engine failed: %s", raft_strerror(error));
      return engine_refuse(e, update, ENGINE_FAILED, why);
    }
  }
}

EngineResult engine_out_of_memory(Engine* e, EngineUpdate* update) {
  return step_failed(e, update, RAFT_NOMEM);
}

EngineResult engine_step(Engine* e, uint64_t now_ms, struct raft_event* event,
                         EngineUpdate* update) {
  struct raft_update raw;
  memset(update, 0, sizeof *update);
  if (e->failed) return ENGINE_FAILED;
  event->time = now_ms < e->raft.now ? e->raft.now : now_ms;
  event->capacity = 0;
  const int error = raft_step(&e->raft, event, &raw);
  if (error != 0) return step_failed(e, update, error);
  update->term_or_vote = raw.flags & (RAFT_UPDATE_CURRENT_TERM | RAFT_UPDATE_VOTED_FOR);
  update->role = raw.flags & RAFT_UPDATE_STATE;
  if (raw.flags & RAFT_UPDATE_ENTRIES) {
    update->append_index = raw.entries.index;
    update->append_n = raw.entries.n;
    if (raw.entries.batch == &e->raft.barrier) {
      update->append_barrier = true;
      raft_free(e->raft.barrier.batch);
      e->raft.barrier.batch = NULL;
    }
  }
  if (raw.flags & RAFT_UPDATE_SNAPSHOT) {
    e->installing = raw.snapshot.metadata; /* its configuration is ours now */
    update->install_index = e->installing.index;
    update->install_term = e->installing.term;
  }
  if ((raw.flags & RAFT_UPDATE_MESSAGES) && !translate_messages(e, &raw, update))
    return engine_out_of_memory(e, update);
  return ENGINE_OK;
}

/* --- opening and starting --------------------------------------------------------------------- */

Engine* engine_open(const EngineOptions* options) {
  if (options->replica == 0 || options->heartbeat_ms == 0 || options->inflight_entries == 0 ||
      options->election_ms <= options->heartbeat_ms || options->election_ms > 1000000)
    return NULL;
  Engine* e = calloc(1, sizeof *e);
  if (e == NULL) return NULL;
  if (raft_init(&e->raft, NULL, NULL, options->replica, "") != 0) {
    free(e);
    return NULL;
  }
  e->raft.tracer = NULL; /* it would format every event into one buffer shared by all threads */
  raft_seed(&e->raft, options->seed);
  raft_set_pre_vote(&e->raft, true);
  raft_set_election_timeout(&e->raft, options->election_ms);
  raft_set_heartbeat_timeout(&e->raft, options->heartbeat_ms);
  raft_set_install_snapshot_timeout(&e->raft, options->install_snapshot_ms);
  raft_set_max_inflight_entries(&e->raft, options->inflight_entries);
  return e;
}

void engine_close(Engine* e) {
  if (e == NULL) return;
  if (e->raft.snapshot.installing) raft_configuration_close(&e->installing.configuration);
  raft_close(&e->raft, NULL);
  free(e->messages);
  free(e->entries);
  free(e);
}

bool engine_is_configuration(const void* data, size_t size) {
  ConfigurationServer servers[CONFIGURATION_SERVERS_MAX];
  return configuration_decode(data, size, servers) > 0;
}

bool engine_read_configuration(const void* data, size_t size, struct raft_configuration* to) {
  const struct raft_buffer buffer = {.base = (void*)data, .len = size};
  return engine_is_configuration(data, size) && raft_configuration_decode(&buffer, to) == 0;
}

bool engine_entries_are_sound(const EngineEntry* entries, unsigned n, uint64_t term_min,
                              uint64_t term_max) {
  for (unsigned i = 0; i < n; i++) {
    const EngineEntry* entry = &entries[i];
    if (entry->term == 0 || entry->term < term_min || entry->term > term_max) return false;
    term_min = entry->term;
    if (entry->type == ENGINE_CHANGE) {
      if (!engine_is_configuration(entry->data, entry->size)) return false;
    } else if (entry->type != ENGINE_COMMAND && entry->type != ENGINE_BARRIER) {
      return false;
    }
  }
  return true;
}

bool engine_make_batch(const EngineEntry* entries, unsigned n, struct raft_entry* to) {
  size_t size = 1;
  for (unsigned i = 0; i < n; i++) {
    if (entries[i].type == ENGINE_CHANGE) size += entries[i].size;
  }
  char* batch = raft_malloc(size);
  if (batch == NULL) return false;
  char* at = batch;
  for (unsigned i = 0; i < n; i++) {
    const bool change = entries[i].type == ENGINE_CHANGE;
    to[i].term = entries[i].term;
    to[i].type = entries[i].type;
    to[i].batch = batch;
    to[i].buf.base = at;
    to[i].buf.len = change ? entries[i].size : 0;
    if (change) at = (char*)memcpy(at, entries[i].data, entries[i].size) + entries[i].size;
  }
  return true;
}

static const char* unsound_start(const EngineStart* s) {
  if (s->first_index != s->snapshot_index + 1)
    return "the log does not begin at its snapshot's end";
  if (s->term == 0 && (s->vote != 0 || s->snapshot_index != 0 || s->n != 0))
    return "a log without a term must be empty";
  if (s->snapshot_index == 0) {
    if (s->n > 0 && s->entries[0].type != ENGINE_CHANGE)
      return "the first entry of a log must be its configuration";
  } else if (s->snapshot_term == 0 || s->snapshot_term > s->term || s->configuration_index == 0 ||
             s->configuration_index > s->snapshot_index ||
             !engine_is_configuration(s->configuration, s->configuration_size)) {
    return "the snapshot's term or configuration is not sound";
  }
  if (!engine_entries_are_sound(s->entries, s->n, s->snapshot_term, s->term))
    return "an entry's term, type or configuration is not sound";
  return NULL;
}

EngineResult engine_start(Engine* e, uint64_t now_ms, const EngineStart* s, EngineUpdate* update) {
  const char* unsound = e->started ? "started already" : unsound_start(s);
  if (unsound != NULL) return engine_refuse(e, update, ENGINE_INVALID, unsound);
  struct raft_snapshot_metadata metadata;
  struct raft_event event = {.type = RAFT_START};
  event.start.term = s->term;
  event.start.voted_for = s->vote;
  event.start.start_index = s->first_index;
  event.start.n_entries = s->n;
  if (s->n > 0) {
    /* Not the scratch array: on an error the engine frees this one. */
    event.start.entries = raft_malloc(s->n * sizeof *event.start.entries);
    if (event.start.entries == NULL || !engine_make_batch(s->entries, s->n, event.start.entries))
      return engine_out_of_memory(e, update);
  }
  if (s->snapshot_index > 0) {
    metadata.index = s->snapshot_index;
    metadata.term = s->snapshot_term;
    metadata.configuration_index = s->configuration_index;
    if (!engine_read_configuration(s->configuration, s->configuration_size,
                                   &metadata.configuration))
      return engine_out_of_memory(e, update);
    event.start.metadata = &metadata;
  }
  e->started = true;
  const EngineResult result = engine_step(e, now_ms, &event, update);
  if (result == ENGINE_OK && s->n > 0) {
    raft_free(event.start.entries[0].batch);
    raft_free(event.start.entries);
  }
  return result;
}

/* --- what it is ------------------------------------------------------------------------------- */

int engine_role(const Engine* e) {
  switch (e->raft.state) {
    case RAFT_LEADER:
      return ENGINE_LEADER;
    case RAFT_CANDIDATE:
      return ENGINE_CANDIDATE;
    default:
      return ENGINE_FOLLOWER;
  }
}

uint64_t engine_term(const Engine* e) {
  return raft_current_term(&e->raft);
}

uint64_t engine_vote(const Engine* e) {
  return raft_voted_for(&e->raft);
}

uint64_t engine_commit(const Engine* e) {
  return raft_commit_index(&e->raft);
}

uint64_t engine_leader(const Engine* e) {
  raft_id id = 0;
  const char* address = NULL;
  raft_leader((struct raft*)&e->raft, &id, &address);
  return id;
}

unsigned engine_voters(const Engine* e, uint64_t* replicas, unsigned max) {
  unsigned n = 0;
  for (unsigned i = 0; i < e->raft.configuration.n; i++) {
    if (e->raft.configuration.servers[i].role != RAFT_VOTER) continue;
    if (n < max) replicas[n] = e->raft.configuration.servers[i].id;
    n++;
  }
  return n;
}

unsigned engine_members(const Engine* e, uint64_t* replicas, unsigned max) {
  for (unsigned i = 0; i < e->raft.configuration.n && i < max; i++)
    replicas[i] = e->raft.configuration.servers[i].id;
  return e->raft.configuration.n;
}

const char* engine_address(const Engine* e, uint64_t replica) {
  for (unsigned i = 0; i < e->raft.configuration.n; i++) {
    if (e->raft.configuration.servers[i].id == replica)
      return e->raft.configuration.servers[i].address;
  }
  return NULL;
}

uint64_t engine_snapshot_index(const Engine* e) {
  return e->raft.trail.snapshot.index;
}

uint64_t engine_transferee(const Engine* e) {
  return raft_transferee(&e->raft);
}

bool engine_sole_voter(const Engine* e) {
  const struct raft_configuration* configuration = &e->raft.configuration;
  bool ours = false;
  for (unsigned i = 0; i < configuration->n; i++) {
    if (configuration->servers[i].role != RAFT_VOTER) continue;
    if (configuration->servers[i].id != e->raft.id) return false;
    ours = true;
  }
  return ours;
}

bool engine_alone(const Engine* e) {
  return e->raft.configuration.n == 1 && e->raft.configuration.servers[0].id == e->raft.id;
}

uint64_t engine_timeout(const Engine* e) {
  if (e->raft.state == RAFT_LEADER && engine_alone(e)) return ENGINE_NEVER;
  return raft_timeout(&e->raft);
}

const char* engine_error(const Engine* e) {
  return e->error;
}
