/* The consensus engine: C-Raft 0.22's core mode behind plain structs.
 *
 * raft.h is C only, its memory rules differ from event to event, and the package is built without
 * assertions: a wrong event corrupts it instead of being refused. So nothing outside this folder
 * includes it; the engine owns every byte that it hands in or gets back, and checks each event
 * first. What travels here is indexes and terms; payloads stay with the caller, except those of
 * configuration changes, which have to be read.
 *
 * The engine is a pure state machine: no thread, no clock, no file, no callback. Each call steps it
 * once and fills an EngineUpdate, valid until the next call. The caller then, in this order:
 *   1. stores engine_term() and engine_vote() if `term_or_vote`,
 *   2. hands the entries of `append_*` to the log; those at and behind `append_index` are
 * truncated,
 *   3. sends `messages`, but none before the term and vote that it speaks for are durable,
 *   4. re-arms its timer at engine_timeout(),
 *   5. applies up to the smaller of engine_commit() and what is durable here.
 * Not thread-safe. Time is in milliseconds from an arbitrary origin, virtual or real, never
 * falling. Source: D. Ongaro, "Consensus: Bridging Theory and Practice", 2014; C-Raft's
 * docs/core.rst.
 */
#ifndef TROUPE_CLUSTER_REPLICATION_ENGINE_ENGINE_H
#define TROUPE_CLUSTER_REPLICATION_ENGINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Kinds of entries, as stored in logs. */
enum { ENGINE_COMMAND = 1, ENGINE_BARRIER = 2, ENGINE_CHANGE = 3 };

enum { ENGINE_FOLLOWER = 1, ENGINE_CANDIDATE = 2, ENGINE_LEADER = 3 };

typedef enum EngineResult {
  ENGINE_OK = 0,
  ENGINE_NOT_LEADER,    /* or a transfer of leadership is under way; nothing happened */
  ENGINE_CANNOT_CHANGE, /* another change of the configuration is under way; nothing happened */
  ENGINE_INVALID,       /* refused before it reached the engine; nothing happened */
  ENGINE_FAILED         /* the engine is unusable, every later call says so: close it */
} EngineResult;

/* `data` is read for ENGINE_CHANGE only. */
typedef struct EngineEntry {
  uint64_t term;
  uint8_t type;
  const void* data;
  size_t size;
} EngineEntry;

enum {
  ENGINE_APPEND_ENTRIES = 1,
  ENGINE_APPEND_ENTRIES_RESULT,
  ENGINE_REQUEST_VOTE,
  ENGINE_REQUEST_VOTE_RESULT,
  ENGINE_INSTALL_SNAPSHOT,
  ENGINE_TIMEOUT_NOW
};

typedef struct EngineMessage {
  uint8_t type;
  uint64_t peer; /* Raft id of the receiver in an update, of the sender in engine_receive() */
  uint64_t term;
  union {
    /* In an update `entries` is null: the sender fills in `n` entries behind prev_index. */
    struct {
      uint64_t prev_index, prev_term, commit;
      const EngineEntry* entries;
      unsigned n;
    } append;
    struct {
      uint64_t rejected, last_index;
    } append_result;
    struct {
      uint64_t last_index, last_term;
      bool disrupt_leader, pre_vote;
    } vote;
    struct {
      bool granted, pre_vote;
    } vote_result;
    /* In an update `configuration` is null: the sender fills in the one as of the snapshot. The
     * snapshot itself travels apart. */
    struct {
      uint64_t last_index, last_term, configuration_index;
      const void* configuration;
      size_t configuration_size;
    } snapshot;
    struct {
      uint64_t last_index, last_term;
    } timeout_now;
  };
} EngineMessage;

typedef struct EngineUpdate {
  bool term_or_vote;
  bool role; /* engine_role() has changed */
  /* Entries to store, from `append_index`; 0: none. Those submitted or received, or, if
   * `append_barrier`, one barrier of the current term that the engine made itself. */
  uint64_t append_index;
  unsigned append_n;
  bool append_barrier;
  /* engine_receive() took this many of the message's entries and advanced the message behind them;
   * while `more`, call it again after dealing with this update. */
  bool more;
  const EngineMessage* messages;
  unsigned n_messages;
  /* A snapshot is to be installed; nothing else may be, until engine_installed(). 0: none. */
  uint64_t install_index, install_term;
} EngineUpdate;

typedef struct Engine Engine;

typedef struct EngineOptions {
  uint64_t replica; /* our Raft id, not 0 */
  unsigned seed;
  unsigned election_ms;
  unsigned heartbeat_ms;
  unsigned install_snapshot_ms; /* after which the sending of a snapshot is begun anew */
  unsigned inflight_entries; /* sent to one follower and not acknowledged: paces, never an error */
} EngineOptions;

/* Null: out of memory, or the options make no sense. */
Engine* engine_open(const EngineOptions* options);
void engine_close(Engine* engine);

/* What the log holds. A new group: term 1 and one ENGINE_CHANGE entry at index 1; one who joins
 * later: term 0, first_index 1, nothing else. */
typedef struct EngineStart {
  uint64_t term, vote;
  uint64_t snapshot_index, snapshot_term; /* 0: none */
  uint64_t configuration_index;           /* of the snapshot's configuration */
  const void* configuration;
  size_t configuration_size;
  uint64_t first_index; /* snapshot_index + 1 */
  const EngineEntry* entries;
  unsigned n;
} EngineStart;

/* Once, before everything else. A sole voter leads on return, in `term`. */
EngineResult engine_start(Engine* engine, uint64_t now_ms, const EngineStart* start,
                          EngineUpdate* update);

/* Appends `n` entries of the current term behind the last one: commands and barriers. */
EngineResult engine_submit(Engine* engine, uint64_t now_ms, uint8_t type, unsigned n,
                           EngineUpdate* update);

/* Appends a change by one server: added at the end, removed, or its role changed, the order of the
 * others kept. A leader cannot remove or demote itself: it transfers its leadership first. */
EngineResult engine_submit_change(Engine* engine, uint64_t now_ms, const void* configuration,
                                  size_t size, EngineUpdate* update);

/* Entries up to `index` are durable. Rising; never for entries that were truncated since. */
EngineResult engine_persisted(Engine* engine, uint64_t now_ms, uint64_t index,
                              EngineUpdate* update);

/* A configuration entry is committed. Fired for every one, in order, and before anything that may
 * bring the next one. */
EngineResult engine_configuration(Engine* engine, uint64_t now_ms, uint64_t index,
                                  const void* configuration, size_t size, EngineUpdate* update);

/* Entries up to `index` may be forgotten: committed, still in the log, above the previous snapshot.
 * `configuration` is the one as of `index`. Not while a snapshot is being installed. */
EngineResult engine_snapshot(Engine* engine, uint64_t now_ms, uint64_t index,
                             uint64_t configuration_index, const void* configuration, size_t size,
                             EngineUpdate* update);

/* The snapshot that an update asked to install is durable, the old log gone. An install that cannot
 * be finished has no event: close the engine and start it again. */
EngineResult engine_installed(Engine* engine, uint64_t now_ms, EngineUpdate* update);

EngineResult engine_timer(Engine* engine, uint64_t now_ms, EngineUpdate* update);

/* Takes the entries of a message in pieces: see `more`. */
EngineResult engine_receive(Engine* engine, uint64_t now_ms, EngineMessage* message,
                            EngineUpdate* update);

/* Hands leadership to a voter (0: any) that has caught up or does so within an election time-out.
 * Submits are refused meanwhile. */
EngineResult engine_transfer(Engine* engine, uint64_t now_ms, uint64_t replica,
                             EngineUpdate* update);

/* Of a leader: up to where the replica's log is known to be ours, durably. 0: nothing is known. */
uint64_t engine_match(const Engine* engine, uint64_t replica);

int engine_role(const Engine* engine);
uint64_t engine_term(const Engine* engine);
uint64_t engine_vote(const Engine* engine);
uint64_t engine_commit(const Engine* engine);
uint64_t engine_leader(const Engine* engine); /* Raft id; 0: not known */
/* By the newest configuration, committed or not. Writes up to `max` Raft ids of voters and returns
 * how many there are. */
unsigned engine_voters(const Engine* engine, uint64_t* replicas, unsigned max);
unsigned engine_members(const Engine* engine, uint64_t* replicas, unsigned max); /* all */
/* Name of the node that has this replica, valid until the next step; null: not in the group. */
const char* engine_address(const Engine* engine, uint64_t replica);
uint64_t engine_snapshot_index(const Engine* engine);
uint64_t engine_transferee(const Engine* engine); /* 0: no transfer under way */

/* By the newest configuration, committed or not: nobody else votes; nobody else is there at all. */
bool engine_sole_voter(const Engine* engine);
bool engine_alone(const Engine* engine);

/* When to call engine_timer() next. ENGINE_NEVER for a leader that has no other server: it has
 * nobody to hear from and nobody to tell. */
#define ENGINE_NEVER UINT64_MAX
uint64_t engine_timeout(const Engine* engine);

/* Why the engine failed or the last call was refused. */
const char* engine_error(const Engine* engine);

#ifdef __cplusplus
}
#endif

#endif
