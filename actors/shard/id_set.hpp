// A set of 64-bit hashes that grows without one allocation per element and without a pause: open
// addressing with linear probing (Knuth, The Art of Computer Programming, volume 3, section 6.4,
// algorithm L), at most half full. When a table is full the next one is twice as large, and the ids
// move over a few with each insert, so that none waits for all of them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <utility>

namespace troupe::actors {

class IdSet {
 public:
  bool contains(std::uint64_t id) const { return now_.contains(id) || before_.contains(id); }

  void insert(std::uint64_t id) {
    move_some();
    if (before_.contains(id)) return;
    if (2 * (now_.used + 1) > now_.size) grow();
    now_.insert(id);
  }

  // Gets memory for as many ids as there were, so that a set that is filled again and again does
  // not grow each time.
  void clear() {
    now_ = Table{now_.size};
    end_move();
  }

  std::size_t size() const { return now_.used + before_.used - moved_ids_; }

 private:
  static constexpr std::uint64_t free = 0;
  static constexpr std::size_t first_size = 64;
  // Until the new table is full, every slot of the old one must have been visited: it has half as
  // many, and the new one takes half of its own ids first. Two would do.
  static constexpr std::size_t moved_per_insert = 4;

  struct Release {
    void operator()(std::uint64_t* slots) const { std::free(slots); }
  };

  struct Table {
    Table() = default;
    // The system gives zeroed pages one by one as they are touched.
    explicit Table(std::size_t a_size)
        : slots(static_cast<std::uint64_t*>(std::calloc(a_size, sizeof(std::uint64_t)))),
          size(a_size) {
      if (a_size > 0 && !slots) throw std::bad_alloc{};
    }

    // One hash means "free"; it shares the place of another.
    static std::uint64_t stored(std::uint64_t id) { return id == free ? 1 : id; }

    // Where the id is, or where it would go. There is always a free slot.
    std::size_t place(std::uint64_t id) const {
      const std::size_t mask = size - 1;
      std::size_t at = static_cast<std::size_t>(id) & mask;
      while (slots[at] != free && slots[at] != id) at = (at + 1) & mask;
      return at;
    }
    bool contains(std::uint64_t id) const {
      return used > 0 && slots[place(stored(id))] == stored(id);
    }
    void insert(std::uint64_t id) {
      std::uint64_t& slot = slots[place(stored(id))];
      if (slot == free) ++used;
      slot = stored(id);
    }

    std::unique_ptr<std::uint64_t[], Release> slots;
    std::size_t size = 0;  // a power of two, or none
    std::size_t used = 0;
  };

  void grow() {
    while (before_.size > 0) move_some();  // done by now, or nearly
    before_ = std::exchange(now_, {});
    now_ = Table{std::max(first_size, 2 * before_.size)};
  }

  void end_move() {
    before_ = {};
    moved_ = moved_ids_ = 0;
  }

  // An id that has moved stays where it was: taking it out would break the chains of others.
  void move_some() {
    for (std::size_t n = 0; n < moved_per_insert && before_.size > 0; ++n) {
      if (before_.slots[moved_] != free) {
        now_.insert(before_.slots[moved_]);
        ++moved_ids_;
      }
      if (++moved_ == before_.size) end_move();
    }
  }

  Table now_;
  Table before_;               // what now_ grew out of, until all its ids have moved
  std::size_t moved_ = 0;      // slots of before_ that were visited
  std::size_t moved_ids_ = 0;  // ids that were found there, now in both
};

}  // namespace troupe::actors
