// Messages to bytes and back, as generated code and the shard do it.
//
// The same message gives the same bytes (replicas and simulations compare them): where a message
// can hold a map, the deterministic form is needed. The plugin knows from the contract which ones
// cannot and uses the faster form there.
#pragma once

#include <google/protobuf/message_lite.h>
#include <algorithm>

#include <string>
#include <string_view>
#include <utility>

#include "actors/entity.hpp"
#include "runtime/result.hpp"

namespace troupe::actors {

using Encode = std::string (*)(const google::protobuf::MessageLite& message);

std::string encode(const google::protobuf::MessageLite& message);  // for messages without maps
std::string encode_deterministic(const google::protobuf::MessageLite& message);

// The bytes of a message in which nothing but this field is set, `member` encoded. How an event is
// put into the oneof of its event message without a copy.
std::string encode_member(int field_number, std::string_view member);

// False if the bytes are not such a message.
[[nodiscard]] bool decode(std::string_view bytes, google::protobuf::MessageLite& message);

// Longer keys would make every row of the entity long.
constexpr std::size_t key_bytes_max = 512;

// The key of a serialised request, found without parsing the rest. INVALID_ARGUMENT with reason
// REQUEST_MALFORMED, KEY_MISSING, KEY_NOT_UTF8 or KEY_TOO_LONG.
Result<std::string> find_key(std::string_view request, int field_number, std::string_view field);

// --- the parts of a generated execute() ----------------------------------------------------------

// The request does not parse / the method index is not one of the service's.
Entity::Outcome malformed_request(const ServiceType& service, std::size_t method);
Entity::Outcome unknown_method(const ServiceType& service, std::size_t method);

template <class Response>
Entity::Outcome finish(const Result<Response>& response, Encode encode_response) {
  if (!response) return {response.error(), {}, false};
  return {encode_response(*response), {}, false};
}

// An error leaves no effects; an erased entity no events.
template <class Response>
Entity::Outcome finish(const Result<Response>& response, Encode encode_response,
                       EffectsBase& effects) {
  auto outcome = finish(response, encode_response);
  if (!outcome.reply) return outcome;
  outcome.erased = effects.erased();
  if (!outcome.erased) outcome.events = effects.take_events();
  return outcome;
}

// Throws std::runtime_error if a stored event does not parse: the stored type was changed in a way
// that Protobuf's compatibility rules forbid.
[[noreturn]] void throw_unreadable_event(const ServiceType& service, std::uint64_t sequence);

template <class Event>
HistoryPage<Event> decode_history(const ServiceType& service, HandlerContext& context,
                                  HistoryOrder order, std::uint64_t from, std::size_t limit) {
  limit = std::min(limit, context.history_page_max());
  auto raw = context.history(order, from, limit + 1);  // one more tells whether there are more
  HistoryPage<Event> page;
  page.more = raw.size() > limit;
  if (page.more) raw.resize(limit);
  page.items.resize(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    page.items[i].sequence = raw[i].sequence;
    page.items[i].time = raw[i].time;
    if (!decode(raw[i].event, page.items[i].event))
      throw_unreadable_event(service, raw[i].sequence);
  }
  return page;
}

}  // namespace troupe::actors
