/* Messages from other replicas. They come from outside: nothing in them is believed. */
#include "cluster/replication/engine/engine_internal.h"

/* What C-Raft writes into its own messages. */
enum { VOTE_VERSION = 2, RESULT_VERSION = 2 };

static const char* unsound(const Engine* e, const EngineMessage* m) {
  const bool by_leader = m->type == ENGINE_APPEND_ENTRIES || m->type == ENGINE_INSTALL_SNAPSHOT;
  if (m->peer == 0 || m->peer == e->raft.id) return "the sender is nobody, or ourselves";
  if (m->term == 0) return "the message has no term";
  if (by_leader && e->raft.state == RAFT_LEADER && m->term == e->raft.current_term)
    return "another server says that it leads our term";
  switch (m->type) {
    case ENGINE_APPEND_ENTRIES:
      if ((m->append.prev_index == 0) != (m->append.prev_term == 0) ||
          m->append.prev_term > m->term || (m->append.n > 0 && m->append.entries == NULL) ||
          m->append.prev_index > UINT64_MAX - m->append.n)
        return "the entries' place in the log is not sound";
      if (m->append.prev_index == 0 && m->append.n > 0 &&
          m->append.entries[0].type != ENGINE_CHANGE)
        return "the first entry of a log must be its configuration";
      if (!engine_entries_are_sound(m->append.entries, m->append.n, m->append.prev_term, m->term))
        return "an entry's term, type or configuration is not sound";
      return NULL;
    case ENGINE_INSTALL_SNAPSHOT:
      if (m->snapshot.last_index == 0 || m->snapshot.last_term == 0 ||
          m->snapshot.last_term > m->term || m->snapshot.configuration_index == 0 ||
          m->snapshot.configuration_index > m->snapshot.last_index ||
          !engine_is_configuration(m->snapshot.configuration, m->snapshot.configuration_size))
        return "the snapshot's index, term or configuration is not sound";
      return NULL;
    case ENGINE_APPEND_ENTRIES_RESULT:
    case ENGINE_REQUEST_VOTE:
    case ENGINE_REQUEST_VOTE_RESULT:
    case ENGINE_TIMEOUT_NOW:
      return NULL;
    default:
      return "unknown type of message";
  }
}

/* Moves the message's beginning behind its first `n` entries. */
static void advance(EngineMessage* m, unsigned n) {
  if (n == 0) return;
  m->append.prev_index += n;
  m->append.prev_term = m->append.entries[n - 1].term;
  m->append.entries += n;
  m->append.n -= n;
}

/* A late or repeated message may begin before our snapshot. What is behind the snapshot is
 * committed and so the same here and there; the engine, which knows no terms there any more, would
 * take the entries for new ones. */
static void skip_snapshot(const Engine* e, EngineMessage* m) {
  const struct raft_trail* trail = &e->raft.trail;
  if (m->append.prev_index >= trail->offset) return;
  const uint64_t behind = trail->offset - m->append.prev_index;
  advance(m, behind < m->append.n ? (unsigned)behind : m->append.n);
  if (m->append.prev_index < trail->offset) {
    m->append.prev_index = trail->snapshot.index;
    m->append.prev_term = trail->snapshot.term;
  }
}

/* The engine gives a configuration in a received batch the index of the batch's first new entry, so
 * a change has to come first; and it must know that the previous one is committed. */
static unsigned piece(const EngineMessage* m) {
  unsigned n = m->append.n == 0 ? 0 : 1;
  while (n < m->append.n && m->append.entries[n].type != ENGINE_CHANGE) n++;
  return n;
}

/* Whether the engine's answer is that it held the entries of a piece already. */
static bool had_entries(const Engine* e, const EngineUpdate* update) {
  return update->n_messages == 1 && e->messages[0].type == ENGINE_APPEND_ENTRIES_RESULT &&
         e->messages[0].append_result.rejected == 0;
}

static EngineResult receive_entries(Engine* e, uint64_t now_ms, EngineMessage* m,
                                    struct raft_message* raw, EngineUpdate* update) {
  struct raft_event event = {.type = RAFT_RECEIVE};
  const bool outdated = m->term < e->raft.current_term;
  if (!outdated) skip_snapshot(e, m);
  const unsigned n = piece(m);
  void* batch = NULL;
  if (n > 0) {
    if (!engine_reserve_entries(e, n) || !engine_make_batch(m->append.entries, n, e->entries))
      return engine_out_of_memory(e, update);
    batch = e->entries[0].batch;
  }
  raw->append_entries.version = 0;
  raw->append_entries.term = m->term;
  raw->append_entries.prev_log_index = m->append.prev_index;
  raw->append_entries.prev_log_term = m->append.prev_term;
  /* C-Raft 0.22 takes the message's end for the end of what is committed, even where it knew more:
   * a leader that looks for the end of our log goes back behind it. */
  raw->append_entries.leader_commit =
      m->append.prev_index + n < e->raft.commit_index ? 0 : m->append.commit;
  raw->append_entries.entries = e->entries;
  raw->append_entries.n_entries = n;
  event.receive.message = raw;
  const EngineResult result = engine_step(e, now_ms, &event, update);
  if (result != ENGINE_OK) return result;
  /* The engine has freed the batch if it answered at once. */
  if (update->append_index != 0) raft_free(batch);
  advance(m, n);
  update->more =
      !outdated && m->append.n > 0 && (update->append_index != 0 || had_entries(e, update));
  return ENGINE_OK;
}

static EngineResult receive_snapshot(Engine* e, uint64_t now_ms, const EngineMessage* m,
                                     struct raft_message* raw, EngineUpdate* update) {
  struct raft_event event = {.type = RAFT_RECEIVE};
  struct raft_configuration* configuration = &raw->install_snapshot.conf;
  if (!engine_read_configuration(m->snapshot.configuration, m->snapshot.configuration_size,
                                 configuration))
    return engine_out_of_memory(e, update);
  /* In this one case the engine neither keeps nor releases it. */
  const bool ignored = e->raft.snapshot.installing && m->term >= e->raft.current_term;
  raw->install_snapshot.version = 0;
  raw->install_snapshot.term = m->term;
  raw->install_snapshot.last_index = m->snapshot.last_index;
  raw->install_snapshot.last_term = m->snapshot.last_term;
  raw->install_snapshot.conf_index = m->snapshot.configuration_index;
  raw->install_snapshot.data.base = NULL;
  raw->install_snapshot.data.len = 0;
  event.receive.message = raw;
  const EngineResult result = engine_step(e, now_ms, &event, update);
  if (ignored) raft_configuration_close(configuration);
  return result;
}

static struct raft_server* own_server(Engine* e) {
  for (unsigned i = 0; i < e->raft.configuration.n; i++)
    if (e->raft.configuration.servers[i].id == e->raft.id) return &e->raft.configuration.servers[i];
  return NULL;
}

/* C-Raft 0.22 grants no vote while the newest configuration here has us as a stand-by, and as a
 * stand-by never forgets a leader that has fallen silent. The configuration that makes us a voter
 * may be in the candidate's log alone, be it the old leader's: then its majority needs our vote
 * before anybody can tell us (Ongaro, 4.1: whoever is asked votes, whatever its own configuration
 * says). Candidates count the votes of their own voters only. */
static EngineResult step_with_a_vote(Engine* e, uint64_t now_ms, struct raft_event* event,
                                     EngineUpdate* update) {
  struct raft_server* const own = own_server(e);
  if (own == NULL || own->role != RAFT_STANDBY) return engine_step(e, now_ms, event, update);
  event->receive.message->request_vote.disrupt_leader = true;
  own->role = RAFT_VOTER;
  const EngineResult result = engine_step(e, now_ms, event, update);
  own->role = RAFT_STANDBY; /* a vote changes no configuration */
  return result;
}

EngineResult engine_receive(Engine* e, uint64_t now_ms, EngineMessage* m, EngineUpdate* update) {
  const char* why = unsound(e, m);
  if (why != NULL) return engine_refuse(e, update, ENGINE_INVALID, why);
  struct raft_message raw = {.type = (enum raft_message_type)m->type, .server_id = m->peer};
  struct raft_event event = {.type = RAFT_RECEIVE};
  const bool outdated = m->term < e->raft.current_term;
  EngineResult result = ENGINE_OK;
  raw.server_address = "";
  event.receive.message = &raw;
  switch (m->type) {
    case ENGINE_APPEND_ENTRIES:
      result = receive_entries(e, now_ms, m, &raw, update);
      break;
    case ENGINE_INSTALL_SNAPSHOT:
      result = receive_snapshot(e, now_ms, m, &raw, update);
      break;
    case ENGINE_APPEND_ENTRIES_RESULT:
      raw.append_entries_result.version = RESULT_VERSION;
      raw.append_entries_result.term = m->term;
      raw.append_entries_result.rejected = m->append_result.rejected;
      raw.append_entries_result.last_log_index = m->append_result.last_index;
      return engine_step(e, now_ms, &event, update);
    case ENGINE_REQUEST_VOTE:
      raw.request_vote.version = VOTE_VERSION;
      raw.request_vote.term = m->term;
      raw.request_vote.candidate_id = m->peer;
      raw.request_vote.last_log_index = m->vote.last_index;
      raw.request_vote.last_log_term = m->vote.last_term;
      raw.request_vote.disrupt_leader = m->vote.disrupt_leader;
      raw.request_vote.pre_vote = m->vote.pre_vote;
      result = step_with_a_vote(e, now_ms, &event, update);
      /* C-Raft 0.22 answers in the term of the question. Who asks would never hear that the term is
       * over; where its vote and its longer log are needed, nobody would lead again. */
      for (unsigned i = 0; outdated && i < update->n_messages; i++)
        e->messages[i].term = e->raft.current_term;
      return result;
    case ENGINE_REQUEST_VOTE_RESULT:
      /* Of no use to others, whom the engine would have read a candidate's state. */
      if (e->raft.state != RAFT_CANDIDATE)
        return engine_refuse(e, update, ENGINE_OK, "not a candidate any more");
      raw.request_vote_result.version = RESULT_VERSION;
      raw.request_vote_result.term = m->term;
      raw.request_vote_result.vote_granted = m->vote_result.granted;
      raw.request_vote_result.pre_vote = m->vote_result.pre_vote;
      return engine_step(e, now_ms, &event, update);
    default:
      raw.timeout_now.version = 0;
      raw.timeout_now.term = m->term;
      raw.timeout_now.last_log_index = m->timeout_now.last_index;
      raw.timeout_now.last_log_term = m->timeout_now.last_term;
      return engine_step(e, now_ms, &event, update);
  }
  /* C-Raft 0.22 leaves this field of its answer to an outdated leader unset. */
  for (unsigned i = 0; outdated && i < update->n_messages; i++)
    e->messages[i].append_result.last_index = 0;
  return result;
}
