#include "cluster/replication/engine/configuration.h"

#include <stdbool.h>
#include <string.h>

enum { FORMAT = 1, HEAD_SIZE = 9 };

static uint64_t get_u64(const uint8_t* bytes) {
  uint64_t value = 0;
  for (int i = 7; i >= 0; i--) value = value << 8 | bytes[i];
  return value;
}

static void put_u64(uint8_t* bytes, uint64_t value) {
  for (int i = 0; i < 8; i++) bytes[i] = (uint8_t)(value >> (8 * i));
}

/* Whether server `at` may stand behind those before it. */
static bool server_fits(const ConfigurationServer* servers, int at) {
  const ConfigurationServer* server = &servers[at];
  if (server->replica == 0 || server->address[0] == '\0') return false;
  if (server->role != CONFIGURATION_STANDBY && server->role != CONFIGURATION_VOTER) return false;
  for (int i = 0; i < at; i++) {
    if (servers[i].replica == server->replica) return false;
    if (strcmp(servers[i].address, server->address) == 0) return false;
  }
  return true;
}

static bool has_voter(const ConfigurationServer* servers, int n) {
  for (int i = 0; i < n; i++) {
    if (servers[i].role == CONFIGURATION_VOTER) return true;
  }
  return false;
}

int configuration_decode(const void* data, size_t size,
                         ConfigurationServer servers[CONFIGURATION_SERVERS_MAX]) {
  const uint8_t* at = data;
  if (data == NULL || size < HEAD_SIZE || size % 8 != 0 || at[0] != FORMAT) return -1;
  const uint8_t* const end = at + size;
  const uint64_t n = get_u64(at + 1);
  if (n == 0 || n > CONFIGURATION_SERVERS_MAX) return -1;
  at += HEAD_SIZE;
  for (int i = 0; i < (int)n; i++) {
    if (end - at < 8) return -1;
    servers[i].replica = get_u64(at);
    at += 8;
    const uint8_t* zero = memchr(at, 0, (size_t)(end - at));
    if (zero == NULL || zero - at > CONFIGURATION_ADDRESS_MAX || end - zero < 2) return -1;
    servers[i].address = (const char*)at;
    servers[i].role = zero[1];
    at = zero + 2;
    if (!server_fits(servers, i)) return -1;
  }
  if (end - at >= 8) return -1;
  while (at < end) {
    if (*at++ != 0) return -1;
  }
  return has_voter(servers, (int)n) ? (int)n : -1;
}

size_t configuration_encode(const ConfigurationServer* servers, int n, void* data,
                            size_t capacity) {
  if (n < 1 || n > CONFIGURATION_SERVERS_MAX || !has_voter(servers, n)) return 0;
  size_t size = HEAD_SIZE;
  for (int i = 0; i < n; i++) {
    const size_t length = strlen(servers[i].address);
    if (length > CONFIGURATION_ADDRESS_MAX || !server_fits(servers, i)) return 0;
    size += 8 + length + 1 + 1;
  }
  size = (size + 7) / 8 * 8;
  if (capacity < size) return size;
  uint8_t* at = data;
  memset(at, 0, size);
  at[0] = FORMAT;
  put_u64(at + 1, (uint64_t)n);
  at += HEAD_SIZE;
  for (int i = 0; i < n; i++) {
    const size_t length = strlen(servers[i].address);
    put_u64(at, servers[i].replica);
    memcpy(at + 8, servers[i].address, length + 1);
    at[8 + length + 1] = servers[i].role;
    at += 8 + length + 1 + 1;
  }
  return size;
}
