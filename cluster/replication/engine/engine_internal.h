/* What engine.c and its two companions share. Nothing else includes this file or raft.h. */
#ifndef TROUPE_CLUSTER_REPLICATION_ENGINE_ENGINE_INTERNAL_H
#define TROUPE_CLUSTER_REPLICATION_ENGINE_ENGINE_INTERNAL_H

#include <raft.h>

#include "cluster/replication/engine/engine.h"

struct Engine {
  struct raft raft;
  bool started;
  bool failed;
  char error[160];
  EngineMessage* messages; /* of the last update */
  unsigned messages_capacity;
  struct raft_entry* entries; /* handed in with the event under way */
  unsigned entries_capacity;
  struct raft_snapshot_metadata installing; /* while raft.snapshot.installing */
};

/* engine.c: one step, after the event was checked. The event's memory follows C-Raft 0.22's rules:
 * configurations become the engine's; entries see engine_receive.c and engine_start(). */
EngineResult engine_step(Engine* e, uint64_t now_ms, struct raft_event* event,
                         EngineUpdate* update);
EngineResult engine_refuse(Engine* e, EngineUpdate* update, EngineResult result, const char* why);
EngineResult engine_out_of_memory(Engine* e, EngineUpdate* update);

/* Whether entries that begin behind one of `term_min` may be shown to the engine. */
bool engine_entries_are_sound(const EngineEntry* entries, unsigned n, uint64_t term_min,
                              uint64_t term_max);

/* The entries as the engine wants them: the payloads of changes in one raft_malloc()ed batch. */
bool engine_make_batch(const EngineEntry* entries, unsigned n, struct raft_entry* to);
bool engine_reserve_entries(Engine* e, unsigned n);

bool engine_is_configuration(const void* data, size_t size);
/* The result is given to the engine, which releases it. */
bool engine_read_configuration(const void* data, size_t size, struct raft_configuration* to);

#endif
