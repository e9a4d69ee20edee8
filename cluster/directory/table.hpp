// The directory's table and what is done with it everywhere: the same on the control nodes that
// agree on it and on every node that keeps a copy. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/directory/table.pb.h"

namespace troupe::cluster {

// "cluster": the one key of the directory's service.
inline constexpr std::string_view directory_key = "cluster";

// Null: there is none.
const DirectoryNode* find_node(const DirectoryTable& table, std::string_view name);
const DirectoryService* find_service(const DirectoryTable& table, std::string_view service);
const DirectoryShard* find_shard(const DirectoryTable& table, std::string_view service,
                                 std::uint32_t shard);

// Takes the place of the entry of that name, or comes in where it belongs.
void put(DirectoryTable& table, DirectoryNode node);
void put(DirectoryTable& table, DirectoryService service);
void put(DirectoryTable& table, DirectoryShard shard);
void put(DirectoryTable& table, DirectoryFormat format);

// What changed behind version `since`, with the table's own version. 0: everything.
DirectoryTable difference(const DirectoryTable& table, std::uint64_t since);

// Brings a copy up to date. False, and nothing happens: the difference is of another cluster, or
// not newer than the copy.
bool merge(DirectoryTable& copy, const DirectoryTable& newer);

// Whether a node's own description is what its entry says; state, flags, version and who keeps the
// directory are not its own. Another process of the node is no news: every change of the table goes
// to all nodes, and a rolling restart would make one for each.
bool same_description(const DirectoryNode& entry, const DirectoryNode& said);

// The nodes that keep the directory, by name.
std::vector<std::string> control_nodes(const DirectoryTable& table);

// Whether any shard is wished on the node.
bool has_places(const DirectoryTable& table, std::string_view node);

// For people: "up", "draining", "joining", "down", "removed".
std::string state_of(const DirectoryNode& node);

}  // namespace troupe::cluster
