// The directory's table and what is done with it everywhere: the same on the control nodes that
// agree on it and on every node that keeps a copy. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/directory/node_state.hpp"
#include "cluster/directory/table.pb.h"
#include "runtime/result.hpp"

namespace troupe::cluster {

// "cluster": the one key of the directory's service.
inline constexpr std::string_view directory_key = "cluster";

// Null: there is none.
const DirectoryNode* find_node(const DirectoryTable& table, std::string_view name);
const DirectoryService* find_service(const DirectoryTable& table, std::string_view service);
const DirectoryShard* find_shard(const DirectoryTable& table, std::string_view service,
                                 std::uint32_t shard);
// By the name of a service, or "balancer".
const DirectoryPolicies* find_policies(const DirectoryTable& table, std::string_view of);

// Takes the place of the entry of that name, or comes in where it belongs.
void put(DirectoryTable& table, DirectoryNode node);
void put(DirectoryTable& table, DirectoryService service);
void put(DirectoryTable& table, DirectoryShard shard);
void put(DirectoryTable& table, DirectoryFormat format);
void put(DirectoryTable& table, DirectoryPolicies policies);

// Adds a service and its shards from another table, which is to be founded.
void add_service(DirectoryTable& to, const DirectoryTable& from, const DirectoryService& service);

// All of the table is of this version.
void renew(DirectoryTable& table, std::uint64_t version);

// These nodes keep the directory, from this version on.
void set_control(DirectoryTable& table, const std::vector<std::string>& nodes,
                 std::uint64_t version);

// What changed behind version `since`, with the table's own version. Everything: since 0, or since
// a version of a table that this one is not the later state of (`renewed`).
DirectoryTable difference(const DirectoryTable& table, std::uint64_t since);

// Brings a copy up to date. False, and nothing happens: the difference is of another cluster, or
// not newer than the copy.
bool merge(DirectoryTable& copy, const DirectoryTable& newer);

// Whether a node's own description is what its entry says; state, flags, version and who keeps the
// directory are not its own. Another process of the node is no news: every change of the table goes
// to all nodes, and a rolling restart would make one for each.
bool same_description(const DirectoryNode& entry, const DirectoryNode& said);

// Whether the name and the addresses of a node that is to be admitted are such as a manifest may
// have. INVALID_ARGUMENT / NODE_UNSUITABLE.
Result<void> may_be_admitted(const DirectoryNode& node);

// The nodes that keep the directory, by name.
std::vector<std::string> control_nodes(const DirectoryTable& table);

// Whether every node that is to have a shard of the service by `wanted` hosts it, as the table
// says: one may run an older binary still.
bool is_hosted(const DirectoryTable& table, const DirectoryTable& wanted, std::string_view service);

// Notes a node that did not become what the wish wanted it to be; empty: none. Whoever is wished
// again is forgiven; of those that are not, the newest few are remembered.
void avoid(DirectoryShard& shard, const std::string& node);

// Whether any shard is wished on the node.
bool has_places(const DirectoryTable& table, std::string_view node);

}  // namespace troupe::cluster
