/* The members of a group, in C-Raft's encoding (its format 1): what an ENGINE_CHANGE entry and
 * GroupRecord.configuration hold.
 *
 * C-Raft's own decoder trusts its input; this one does not. It is also what says that bytes may be
 * shown to the engine at all. C, because engine.c needs it.
 */
#ifndef TROUPE_CLUSTER_REPLICATION_ENGINE_CONFIGURATION_H
#define TROUPE_CLUSTER_REPLICATION_ENGINE_CONFIGURATION_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A stand-by gets entries and does not vote. The format's third role, spare, is not used. */
enum { CONFIGURATION_STANDBY = 0, CONFIGURATION_VOTER = 1 };

typedef struct ConfigurationServer {
  uint64_t replica; /* Raft id, not 0, once in the group */
  uint8_t role;
  const char* address; /* name of the node, not empty, once in the group */
} ConfigurationServer;

#define CONFIGURATION_SERVERS_MAX 16
#define CONFIGURATION_ADDRESS_MAX 255

/* Number of servers, at least one, or -1 if the bytes are no configuration. Addresses point into
 * `data`. */
int configuration_decode(const void* data, size_t size,
                         ConfigurationServer servers[CONFIGURATION_SERVERS_MAX]);

/* Bytes needed or, if `capacity` suffices, written; 0 if the servers make no configuration. */
size_t configuration_encode(const ConfigurationServer* servers, int n, void* data, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif
