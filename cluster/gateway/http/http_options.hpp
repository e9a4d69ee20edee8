// The bounds of an HTTP server. Each protects the node from one kind of peer.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/time.hpp"

namespace troupe::cluster {

struct HttpLimits {
  // Beyond these a connection is answered 503 and closed; beyond an eighth more, refused.
  std::size_t connections_max = 4096;

  // Requests read from one connection and not yet answered; beyond, its bytes are left unread.
  std::size_t in_flight_max = 16;

  std::size_t target_bytes_max = 8 * 1024;   // beyond: 414
  std::size_t header_bytes_max = 16 * 1024;  // request line and headers together; beyond: 431
  std::size_t body_bytes_max = 1024 * 1024;  // beyond: 413
  // Bodies longer than the first, of all connections together: what has arrived and its handler
  // has not answered. Beyond the second: 503. Shorter ones are not counted, so that nobody can keep
  // them out.
  std::size_t large_body_bytes = 64 * 1024;
  std::size_t large_bodies_bytes_max = 256 * 1024 * 1024;
  std::size_t unsent_bytes_max = 256 * 1024;  // answers that the peer does not take; beyond, its
                                              // requests are left unread

  // 429s a second, of a gateway for each processor; beyond, peers that go on sending after one are
  // read later (refusal_pace.hpp).
  std::uint32_t refusals_max = 10'000;

  // Between an answer and the first byte of the next request.
  Duration idle_time = std::chrono::seconds{60};

  // From a request's first byte to the end of its headers, and from there to its last byte. A peer
  // that is still sending then is answered 408; one that sends nothing any more is cut off a
  // quarter later.
  Duration header_time = std::chrono::seconds{10};
  Duration body_time = std::chrono::seconds{30};

  // From a request's last byte until its answer; then it is answered 504. Longer than a call takes
  // that gives up by itself.
  Duration answer_time = std::chrono::seconds{60};

  // From an answer until the peer has taken it, or goes on sending.
  Duration write_time = std::chrono::seconds{60};

  // When the server stops, an idle connection stays open for so long: a request that is on its way
  // is answered, and told that the connection ends. Closed at once, it would be lost.
  Duration stop_linger{};
};

}  // namespace troupe::cluster
