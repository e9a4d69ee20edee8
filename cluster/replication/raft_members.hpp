// How a group's members change. What RaftGroup remembers of it; the code is in
// raft_group_members.cpp (changes, and the care for them) and raft_group_handover.cpp (leadership).
//
// The committed configuration is the truth. A leader changes it by one server at a time: adds a
// stand-by, which gets everything and votes nowhere; makes a voter of one that has caught up;
// removes one. It begins none before an entry of its own term is committed and while another is
// under way. Nothing about a change is remembered elsewhere, so another leader goes on from what is
// committed.
//
// A replica without a past draws a Raft id of its own, writes it to its log and only then asks the
// nodes of its group to be taken in, again and again until it is a voter:
//
//   replica                          leader
//   join                         ->  names another replica of that node, which is silent: lost, is
//                                    removed (if most of the others are alive, and a majority
//                                    of them is more than a minority of the places)
//                                    added as a stand-by
//                                <-  entries, or the file and entries
//                                    it has caught up: it becomes a voter
//
// An id is never used again: it is 63 bits from the platform's random source, which no two drawings
// repeat; it is durable before anybody hears of it, so it goes with what the replica promises; and
// whoever loses that, or is removed, draws another. A leader takes none in that the configuration
// has.
//
// A replica that was removed is told so, and once more when it asks, under the Raft id that was
// removed. Then it forgets its log and its file in one record of the node log, and is one without a
// past.
//
// Where replicas are to be (RaftPlaces) may change at any time; the leader makes the group follow
// (raft_group_places.cpp). Replicas on new nodes ask and are taken in; when every node that is to
// have one has a voter that lives and has caught up, the leader removes the others one at a time,
// itself last: it hands its leadership over before. One that is silent and not to be there goes as
// soon as all vote that are. Nothing is removed that the majority of the rest cannot do without. A
// replica that is not to be there asks whether it still is a member; one that never was forgets by
// itself.
//
// While a silent replica is named, one more failure stops a group of three, until the new replica
// votes. To remove it before that would change nothing (two of two are needed then as two of three
// were before) but that its return could not help. Only a replica whose own node has lost it goes
// before its successor votes, since no node is named twice.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "runtime/storage/ids.hpp"
#include "runtime/time.hpp"

namespace troupe::cluster {

constexpr std::size_t voters_max = 5;

struct RaftMember {
  std::uint64_t replica = 0;
  std::string node;
  bool voter = false;  // else a stand-by
  friend bool operator==(const RaftMember&, const RaftMember&) = default;
};

// The nodes that should have a replica each, the one that should lead first.
struct RaftPlaces {
  std::vector<std::string> nodes = {};
  // Somebody has said so for the time being: replicas elsewhere are to go. Else nobody has, this is
  // where the group was made, and members elsewhere stay.
  bool binding = false;
  bool have(const std::string& node) const;
};

// As an entry of the log holds them. Null: ids or nodes are not distinct, or there are too many.
runtime::SharedBytes encode_members(const std::vector<RaftMember>& members);
// None if the bytes are no configuration.
std::vector<RaftMember> decode_members(const std::string& bytes);

struct RaftMemberOptions {
  // How long the leader has heard nothing of a replica that its node says it has no more, before it
  // takes it for lost.
  std::chrono::milliseconds silent_when_lost{1'000};
  // A replica asks to be taken in, and a voter without a leader whether it still is one. Pauses
  // between two questions double.
  Duration ask_first = std::chrono::milliseconds{100};
  Duration ask_longest = std::chrono::seconds{2};
  // A question that is not repeated is forgotten: whoever asked is gone.
  std::chrono::milliseconds ask_valid{5'000};
  // For handing over leadership, and before the next try of a leader that is to leave.
  Duration hand_over_max = std::chrono::seconds{2};
  std::chrono::milliseconds hand_over_again{3'000};
};

// The leader's care for its members; in the group's time, forgotten with the leadership.
struct MemberCare {
  struct Asked {
    std::uint64_t replica = 0;
    std::uint64_t at_ms = 0;
  };
  // A replica has caught up when it needed less than an election time-out for what the log held
  // when that began (Ongaro, 4.2.1).
  struct Round {
    runtime::LogIndex index = 0;
    std::uint64_t begun_ms = 0;
  };
  std::uint64_t begun_ms = 0;                    // when we became the leader
  std::map<std::uint64_t, std::uint64_t> heard;  // when something came from a replica
  std::map<std::string, Asked> asked;            // by node: replicas that want to be taken in
  std::map<std::uint64_t, Round> rounds;
  // Those that were removed, until they have been told.
  struct Leaving {
    std::string node;
    unsigned told = 0;
  };
  std::map<std::uint64_t, Leaving> leaving;
  std::uint64_t next_hand_over_ms = 0;  // of a leader that is to leave
  // What replicas said last: of their disks, and of which entry they have done their part.
  std::map<std::uint64_t, bool> lacks_room;
  std::map<std::uint64_t, runtime::LogIndex> parts_done;
};

}  // namespace troupe::cluster
