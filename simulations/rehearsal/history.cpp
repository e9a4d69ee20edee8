#include "simulations/rehearsal/history.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <charconv>
#include <cstdio>
#include <memory>

namespace troupe::simulations {

namespace pb = google::protobuf;

std::optional<Position> Position::parse(std::string_view text, std::string_view service) {
  if (!text.starts_with(service) || text.substr(service.size(), 1) != "/") return std::nullopt;
  const char* const end = text.data() + text.size();
  Position position;
  const auto shard = std::from_chars(text.data() + service.size() + 1, end, position.shard);
  if (shard.ec != std::errc{} || shard.ptr == end || *shard.ptr != '@') return std::nullopt;
  const auto index = std::from_chars(shard.ptr + 1, end, position.index);
  if (index.ec != std::errc{} || index.ptr != end) return std::nullopt;
  return position;
}

std::string seconds_text(Duration time) {
  if (time == Duration::max()) return "never";
  char text[32];
  std::snprintf(text, sizeof text, "%.6fs",
                std::chrono::duration<double>(time).count());  // microseconds are exact
  return text;
}

std::string Operation::text() const {
  return '#' + std::to_string(number) + ' ' + client + ' ' + service->methods[method].name + '(' +
         key + ") " + seconds_text(invoked) + '-' +
         (returned == Duration::max() ? "" : seconds_text(returned));
}

std::map<History::Entity, std::vector<const Operation*>> History::by_entity() const {
  std::map<Entity, std::vector<const Operation*>> entities;
  for (const auto& operation : operations_)
    entities[{operation.service->name, operation.key}].push_back(&operation);
  return entities;
}

History History::until(Duration time) const {
  History known;
  for (const auto& operation : operations_) {
    if (operation.invoked >= time) continue;
    auto& copy = known.operations_.emplace_back(operation);
    if (copy.returned < time) continue;
    copy.outcome = Operation::Outcome::open;
    copy.returned = Duration::max();
    copy.position.reset();
  }
  return known;
}

History History::edited(const std::function<void(Operation&)>& edit) const {
  History result = *this;
  for (auto& operation : result.operations_) edit(operation);
  return result;
}

std::string describe_message(const std::string& type, const std::string& bytes) {
  const auto* descriptor = pb::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (descriptor == nullptr) return "a " + type + " of " + std::to_string(bytes.size()) + " bytes";
  const std::unique_ptr<pb::Message> message{
      pb::MessageFactory::generated_factory()->GetPrototype(descriptor)->New()};
  if (!message->ParseFromString(bytes)) return "bytes that are no " + type;
  return descriptor->name() + " { " + message->ShortDebugString() + " }";
}

std::string describe_request(const Operation& operation) {
  const auto* method = operation.service->descriptor()->method(static_cast<int>(operation.method));
  return describe_message(method->input_type()->full_name(), operation.request);
}

std::string describe_reply(const Operation& operation) {
  const auto* method = operation.service->descriptor()->method(static_cast<int>(operation.method));
  switch (operation.outcome) {
    case Operation::Outcome::success:
      return describe_message(method->output_type()->full_name(), operation.reply) +
             (operation.position ? " at " + std::to_string(operation.position->shard) + '@' +
                                       std::to_string(operation.position->index)
                                 : "") +
             (operation.replayed ? " (replayed)" : "");
    case Operation::Outcome::refused:
      return "refused: " + operation.reason;
    case Operation::Outcome::harmless:
      return "no effect: " + operation.reason;
    case Operation::Outcome::unknown:
    case Operation::Outcome::open:
      break;
  }
  return "unknown" + (operation.reason.empty() ? "" : ": " + operation.reason);
}

}  // namespace troupe::simulations
