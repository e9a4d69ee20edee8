#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include "simulations/world/network.hpp"
#include "simulations/world/stream.hpp"

namespace troupe::simulations {

namespace {

bool is_literal(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

// Roughly exponential, on integers so that every build draws the same: one half of all draws lies
// between 0 and the half life, one quarter between one and two half lives, and so on, each evenly.
std::uint64_t exponential(std::uint64_t half_life, RandomStream& random) {
  std::uint64_t halvings = 0;
  while (halvings < 16 && random.next() % 2 == 0) ++halvings;
  return halvings * half_life + random.between(0, half_life);
}

Duration nanoseconds(std::uint64_t count) {
  return Duration{static_cast<Duration::rep>(count)};
}

// As Linux's TCP begins with.
constexpr Duration retransmission = std::chrono::milliseconds{200};
constexpr int retransmissions_max = 8;

}  // namespace

bool Fabric::resolves(const std::string& host) const {
  return host == "localhost" || hosts_.contains(host) || is_literal(host);
}

std::optional<std::uint32_t> Fabric::node_at(const runtime::Address& address) const {
  if (const auto found = hosts_.find(address.host); found != hosts_.end()) return found->second;
  const auto found = listening.find({address.host, address.port});
  if (found == listening.end()) return std::nullopt;
  return found->second.life->node();
}

std::uint16_t Fabric::free_port(const std::string& host) {
  constexpr std::uint16_t first = 49152;
  auto& port = last_port_.try_emplace(host, first - 1).first->second;
  do {
    port = port == UINT16_MAX ? first : static_cast<std::uint16_t>(port + 1);
  } while (listening.contains({host, port}));
  return port;
}

Duration Fabric::delay(RandomStream& random) const {
  return Duration{
      static_cast<Duration::rep>(random.between(static_cast<std::uint64_t>(times_.min.count()),
                                                static_cast<std::uint64_t>(times_.max.count())))};
}

void Fabric::drop(const Life& life) {
  std::erase_if(listening, [&](const auto& entry) { return entry.second.life.get() == &life; });
  std::vector<std::shared_ptr<SimStream>> dropped;
  for (const auto& [number, stream] : streams) {
    if (&stream->life() == &life) dropped.push_back(stream);
  }
  for (const auto& stream : dropped) stream->drop();
}

// --- faults -------------------------------------------------------------------------------------

void Fabric::set_path(std::uint32_t from, std::uint32_t to, const PathFaults& faults) {
  if (from == to) return;
  const std::pair key{from, to};
  if (faults == PathFaults{} && !paths_.contains(key)) return;
  auto& path = paths_[key];
  const bool was_blocked = std::exchange(path.faults, faults).blocked;
  if (faults.blocked) {
    path.freed = false;
  } else if (was_blocked) {
    // The sender's next retransmission finds the path free.
    auto random = fault_random(from, std::uint64_t{1} << 62 | ++releases_);
    path.freed = true;
    const auto wait = nanoseconds(random.between(0, retransmission.count()));
    loop.after(wait, [this, from, to] { release(from, to); });
  } else if (faults == PathFaults{} && path.held.empty() && !path.freed) {
    paths_.erase(key);
  }
}

void Fabric::release(std::uint32_t from, std::uint32_t to) {
  const auto found = paths_.find({from, to});
  if (found == paths_.end() || !std::exchange(found->second.freed, false)) return;
  const auto held = std::exchange(found->second.held, {});
  if (found->second.faults == PathFaults{}) paths_.erase(found);
  for (const auto& arrive : held) arrive();
}

bool Fabric::holds(std::uint32_t from, std::uint32_t to) const {
  const auto found = paths_.find({from, to});
  return found != paths_.end() && (found->second.faults.blocked || found->second.freed);
}

Duration Fabric::draw_extra(std::uint32_t from, std::uint32_t to, RandomStream& random) const {
  const auto found = paths_.find({from, to});
  if (found == paths_.end()) return Duration{0};
  const auto& faults = found->second.faults;
  Duration extra{0};
  if (const auto most = static_cast<std::uint64_t>(faults.slow_by_max.count()); most > 0) {
    extra +=
        nanoseconds(random.between(0, 49) == 0 ? random.between(0, most)
                                               : std::min(most, exponential(most / 15, random)));
  }
  auto wait = retransmission;
  for (int i = 0; i < retransmissions_max && faults.lost != 0 && random.chance(faults.lost); ++i) {
    extra += wait;
    wait *= 2;
  }
  return extra;
}

void Fabric::set_refusing(std::uint32_t node, bool refusing) {
  if (refusing) {
    refusing_.insert(node);
  } else {
    refusing_.erase(node);
  }
}

std::size_t Fabric::reset_connections(std::uint32_t one, std::uint32_t other) {
  std::vector<std::shared_ptr<SimStream>> hit;
  for (const auto& [number, stream] : streams) {
    if (stream->accepted_between(one, other)) hit.push_back(stream);
  }
  for (const auto& stream : hit) stream->lose();
  return hit.size();
}

}  // namespace troupe::simulations
