// The number that tells one cluster from every other, also from one of the same name: a UUID
// (RFC 9562), drawn once when the cluster is created and written into every member's data folder.
// As text: 36 lower-case characters, "2f1c0d3e-5a7b-4c8d-9e0f-123456789abc".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/platform/random.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

std::string make_cluster_id(runtime::Random& random);

// Of these numbers, for worlds whose ids must come from their seed.
std::string make_cluster_id(std::uint64_t high, std::uint64_t low);

// Of a cluster that is restored from the backup with that checksum: a UUID of version 8, which ends
// with a part of it.
std::string make_restored_cluster_id(std::uint64_t random, std::uint64_t backup);
// Whether it is one, from whatever backup; and from this one. Of ids that were parsed.
bool is_restored_cluster_id(std::string_view id);
bool is_restored_from(std::string_view id, std::uint64_t backup);

// As people write it, upper case too. INVALID_ARGUMENT / CLUSTER_ID_INVALID.
Result<std::string> parse_cluster_id(std::string_view text);

}  // namespace troupe::cluster
