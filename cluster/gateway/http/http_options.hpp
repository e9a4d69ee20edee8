// The bounds of an HTTP server. Each protects the node from one kind of peer.
#pragma once

#include <cstddef>

#include "runtime/time.hpp"

namespace troupe::cluster {

struct HttpLimits {
  // Beyond these a connection is answered 503 and closed; beyond an eighth more, refused.
  std::size_t connections_max = 4096;

  // Requests read from one connection and not yet answered; beyond, its bytes are left unread.
  std::size_t in_flight_max = 16;

  std::size_t target_bytes_max = 8 * 1024;    // beyond: 414
  std::size_t header_bytes_max = 16 * 1024;   // request line and headers together; beyond: 431
  std::size_t body_bytes_max = 1024 * 1024;   // beyond: 413
  std::size_t unsent_bytes_max = 256 * 1024;  // answers that the peer does not take; beyond, its
                                              // requests are left unread

  // A peer that goes on sending after a 429 (it was told to come back later) is read the later the
  // more often it was told in a row: not at once from the second time on, but after this time, then
  // after twice as long, at most the longest. What it sends meanwhile stays unread, so that saying
  // no to many costs little. An answer of another kind ends it.
  Duration hold_first = std::chrono::milliseconds{5};
  Duration hold_longest = std::chrono::milliseconds{100};

  // Between an answer and the first byte of the next request.
  Duration idle_time = std::chrono::seconds{60};

  // From a request's first byte to the end of its headers, and from there to its last byte. A peer
  // that is still sending then is answered 408; one that sends nothing any more is cut off a
  // quarter later.
  Duration header_time = std::chrono::seconds{10};
  Duration body_time = std::chrono::seconds{30};

  // From a request's last byte until the peer has taken the answer: longer than any call may take.
  Duration answer_time = std::chrono::seconds{60};
};

}  // namespace troupe::cluster
