// The newest text of a stream, in memory that outlives the process which writes it: what a run did
// last before its process died.
#pragma once

#include <cstddef>
#include <memory>
#include <ostream>
#include <streambuf>
#include <string>

namespace troupe::simulations {

// Made before the fork; written by the child, read by the parent once the child is gone. Throws
// std::system_error if there is no memory.
class SharedTail {
 public:
  SharedTail();
  ~SharedTail();
  SharedTail(const SharedTail&) = delete;
  SharedTail& operator=(const SharedTail&) = delete;

  std::ostream& stream() { return stream_; }

  // Whole lines, oldest first; the last one may be cut off where the writer died.
  std::string text() const;

 private:
  struct Ring;
  class Buffer final : public std::streambuf {
   public:
    explicit Buffer(Ring* ring) : ring_(ring) {}
    std::streamsize xsputn(const char* text, std::streamsize size) override;
    int_type overflow(int_type c) override;

   private:
    Ring* ring_;
  };

  Ring* ring_;
  Buffer buffer_;
  std::ostream stream_;
};

}  // namespace troupe::simulations
