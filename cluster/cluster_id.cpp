#include "cluster/cluster_id.hpp"

#include <cstdio>

namespace troupe::cluster {

namespace {

constexpr std::size_t version_place = 14;
constexpr std::size_t end_place = 28;  // of the last 32 bits

std::string text_of_id(std::uint64_t high, std::uint64_t low, std::uint64_t version) {
  high = (high & ~0xf000ull) | version << 12;
  low = (low & ~(0b11ull << 62)) | (0b10ull << 62);  // the variant of the RFC
  char text[37];
  std::snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", static_cast<unsigned>(high >> 32),
                static_cast<unsigned>(high >> 16 & 0xffff), static_cast<unsigned>(high & 0xffff),
                static_cast<unsigned>(low >> 48),
                static_cast<unsigned long long>(low & 0xffff'ffff'ffff));
  return text;
}

std::string end_of_id(std::uint64_t backup) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(backup & 0xffff'ffff));
  return text;
}

}  // namespace

std::string make_cluster_id(std::uint64_t high, std::uint64_t low) {
  return text_of_id(high, low, 4);  // random
}

std::string make_restored_cluster_id(std::uint64_t random, std::uint64_t backup) {
  // Of one seed both halves differ.
  const std::uint64_t low = (random * 0x9e37'79b9'7f4a'7c15ull) & ~0xffff'ffffull;
  return text_of_id(random, low | (backup & 0xffff'ffffull), 8);
}

bool is_restored_cluster_id(std::string_view id) {
  return id.size() > version_place && id[version_place] == '8';
}

bool is_restored_from(std::string_view id, std::uint64_t backup) {
  return is_restored_cluster_id(id) && id.substr(end_place) == end_of_id(backup);
}

std::string make_cluster_id(runtime::Random& random) {
  const std::uint64_t high = random.next();
  return make_cluster_id(high, random.next());
}

Result<std::string> parse_cluster_id(std::string_view text) {
  std::string id{text};
  bool good = id.size() == 36;
  for (std::size_t i = 0; good && i < id.size(); ++i) {
    char& c = id[i];
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    good = dash ? c == '-' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  }
  if (!good)
    return invalid_argument("CLUSTER_ID_INVALID",
                            "'" + std::string{text.substr(0, 80)} +
                                "' is no cluster id; write the UUID that 'troupe init' printed, "
                                "such as 2f1c0d3e-5a7b-4c8d-9e0f-123456789abc");
  return id;
}

}  // namespace troupe::cluster
