#include "cluster/command_codec.hpp"

#include "actors/encoding.hpp"

namespace troupe::cluster {
namespace {

constexpr int code_max = static_cast<int>(Code::unauthenticated);

Error to_error(const wire::CommandError& error) {
  const bool known = error.code() >= 1 && error.code() <= code_max;
  Error why{known ? static_cast<Code>(error.code()) : Code::unknown, error.reason(),
            error.message()};
  if (error.retry_after_ns() > 0)
    why.retry_after = std::chrono::nanoseconds{error.retry_after_ns()};
  return why;
}

}  // namespace

std::string encode_command(const actors::CallBase& call, const actors::CallOptions& options,
                           std::uint32_t attempt, bool stale) {
  wire::Command command;
  command.set_service(call.service->name);
  const std::string& method = call.service->methods[call.method].name;
  if (options.if_version) {
    command.set_method_if_version(method);
    command.set_version(*options.if_version);
  } else {
    command.set_method(method);
  }
  command.set_key(call.key);
  command.set_payload(call.payload);
  if (options.id) {
    command.set_id_high(options.id->high);
    command.set_id_low(options.id->low);
    command.set_id_timed(options.id->timed);
    command.set_id_client(options.id->client);
  }
  command.set_caller(options.caller);
  command.set_trace(options.trace);
  command.set_attempt(attempt);
  command.set_principal(options.on_behalf_of.principal);
  command.set_tenant(options.on_behalf_of.tenant);
  command.set_data_subject(options.on_behalf_of.data_subject);
  command.set_stale(stale);
  return actors::encode(command);
}

Result<wire::Command> decode_command(std::string_view bytes) {
  wire::Command command;
  if (!command.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return invalid_argument("COMMAND_MALFORMED", "a command from another node does not parse");
  return command;
}

actors::MessageId id_of(const wire::Command& command) {
  return {command.id_high(), command.id_low(), command.id_timed(), command.id_client()};
}

std::string encode_reply(const RemoteReply& reply) {
  wire::CommandReply message;
  if (reply.reply) {
    message.set_payload(reply.reply->payload);
    message.set_shard_index(reply.reply->shard_index);
    message.set_repeated(reply.reply->repeated);
    message.set_shard(reply.reply->shard);
    message.set_version(reply.reply->version);
    if (reply.reply->age) {
      message.set_stale(true);
      message.set_age_ns(reply.reply->age->count());
    }
  } else {
    const Error& why = reply.reply.error();
    auto& error = *message.mutable_error();
    error.set_code(static_cast<std::uint32_t>(why.code));
    error.set_reason(why.reason);
    error.set_message(why.message);
    if (why.retry_after) error.set_retry_after_ns(why.retry_after->count());
  }
  message.set_leader(reply.leader);
  return actors::encode(message);
}

RemoteReply decode_reply(std::string_view bytes) {
  wire::CommandReply message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())))
    return {internal("REPLY_MALFORMED", "the reply of another node does not parse"), {}};
  if (message.has_error()) return {to_error(message.error()), message.leader()};
  actors::Reply reply;
  reply.payload = std::move(*message.mutable_payload());
  reply.shard_index = message.shard_index();
  reply.repeated = message.repeated();
  reply.shard = message.shard();
  reply.version = message.version();
  if (message.stale()) reply.age = std::chrono::nanoseconds{message.age_ns()};
  return {std::move(reply), message.leader()};
}

}  // namespace troupe::cluster
