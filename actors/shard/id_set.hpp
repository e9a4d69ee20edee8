// A set of 64-bit hashes that grows without one allocation per element: open addressing with linear
// probing (Knuth, The Art of Computer Programming, volume 3, section 6.4, algorithm L), at most
// half full. clear() keeps the memory, so that a set that is filled again and again stops growing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace troupe::actors {

class IdSet {
 public:
  bool contains(std::uint64_t id) const {
    return !slots_.empty() && slots_[place(stored(id))] == stored(id);
  }

  void insert(std::uint64_t id) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    std::uint64_t& slot = slots_[place(stored(id))];
    if (slot == free) ++size_;
    slot = stored(id);
  }

  void clear() {
    slots_.assign(slots_.size(), free);
    size_ = 0;
  }

  std::size_t size() const { return size_; }

 private:
  static constexpr std::uint64_t free = 0;
  // One hash means "free"; it shares the place of another.
  static std::uint64_t stored(std::uint64_t id) { return id == free ? 1 : id; }

  // Where the id is, or where it would go. There is always a free slot.
  std::size_t place(std::uint64_t id) const {
    const std::size_t mask = slots_.size() - 1;
    std::size_t at = static_cast<std::size_t>(id) & mask;
    while (slots_[at] != free && slots_[at] != id) at = (at + 1) & mask;
    return at;
  }

  void grow() {
    std::vector<std::uint64_t> old(slots_.empty() ? 64 : 2 * slots_.size(), free);
    old.swap(slots_);
    for (const std::uint64_t id : old)
      if (id != free) slots_[place(id)] = id;
  }

  std::vector<std::uint64_t> slots_;  // a power of two of them
  std::size_t size_ = 0;
};

}  // namespace troupe::actors
