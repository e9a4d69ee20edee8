#include "simulations/world/random.hpp"

namespace troupe::simulations {

namespace {

constexpr std::uint64_t golden = 0x9e3779b97f4a7c15;

constexpr std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

RandomStream::RandomStream(std::uint64_t seed, Domain domain, std::uint32_t node,
                           std::uint64_t sequence)
    : key_(mix(seed + golden)) {
  key_ = mix(key_ ^ (std::uint64_t{static_cast<std::uint32_t>(domain)} << 32 | node));
  key_ = mix(key_ ^ mix(sequence + golden));
}

std::uint64_t RandomStream::next() {
  return mix(key_ + ++drawn_ * golden);
}

}  // namespace troupe::simulations
