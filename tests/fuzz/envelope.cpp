// What comes from other nodes: bytes of a stranger or of a peer into a mesh, and the messages
// inside. A mesh takes the same of them in one piece and in many, and says nothing but frames
// itself; what is decoded and encoded again is the same message.
#include <google/protobuf/stubs/logging.h>

#include <functional>
#include <memory>

#include "cluster/command_codec.hpp"
#include "cluster/mesh/connection.hpp"
#include "cluster/mesh/hello.hpp"
#include "cluster/mesh/mesh_core.hpp"
#include "cluster/mesh/mesh_link.hpp"
#include "cluster/replication/raft_codec.hpp"
#include "cluster/replication/raft_members.hpp"
#include "memory_platform.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;
using namespace troupe::cluster;
using fuzz::require;

namespace {

// Nobody is reached, and nobody comes but by the target's own doing.
class Nowhere final : public runtime::Network {
 public:
  Result<std::shared_ptr<runtime::Security>> load_security(
      const runtime::CredentialFiles&) override {
    std::abort();
  }
  Result<std::unique_ptr<runtime::Listener>> listen(const runtime::Address&, Accept,
                                                    std::shared_ptr<runtime::Security>) override {
    std::abort();
  }
  void connect(const runtime::Address&, Duration, Connected,
               std::shared_ptr<runtime::Security>) override {}
};

class Silence final : public runtime::Logger {
 public:
  bool enabled(runtime::LogLevel) const override { return false; }
  void write(runtime::LogLevel, std::string_view, std::string, std::vector<runtime::LogField>,
             std::string) override {}
};

class QuietPlatform final : public runtime::Platform {
 public:
  runtime::Clock& clock() override { return clock_; }
  runtime::Random& random() override { return random_; }
  runtime::Disk& disk() override { std::abort(); }
  runtime::Workers& workers() override { std::abort(); }
  runtime::Network& network() override { return network_; }
  runtime::Logger& log() override { return log_; }
  runtime::Metrics& metrics() override { return *metrics_; }
  void configure(caf::actor_system_config&) override { std::abort(); }
  void fail_stop(const Error&) override { std::abort(); }

 private:
  tests::MemoryClock clock_;
  tests::MemoryRandom random_;
  Nowhere network_;
  Silence log_;
  std::unique_ptr<runtime::Metrics> metrics_ = runtime::Metrics::make();
};

class Wire final : public runtime::Stream {
 public:
  void write(std::string bytes) override {
    if (!over()) written += bytes;
  }
  std::size_t unsent() const override { return 0; }
  void pause_reading() override {}
  void resume_reading() override {}
  void expire_after(Duration) override {}
  void wake_after(Duration) override {}
  void close() override { closed_ = true; }
  void abort() override { closed_ = true; }
  runtime::Address remote() const override { return {"fake", 1}; }
  bool over() const { return closed_; }

  std::string written;

 private:
  bool closed_ = false;
};

std::string frame(FrameKind kind, std::string_view payload = {}) {
  std::string bytes;
  append_frame(bytes, kind, Lane::control, payload);
  return bytes;
}

// How n2 greets n1, the node under test.
std::string greeting() {
  MeshOptions theirs;
  theirs.cluster = "c";
  theirs.node = "n2";
  theirs.incarnation = 22;
  auto hello = make_hello(theirs);
  hello.set_dialled_node("n1");
  hello.set_dial(1);
  return frame(FrameKind::hello, hello.SerializeAsString()) + frame(FrameKind::ready);
}

struct Choices {
  bool linked = false;   // the peer has greeted before
  bool keeps = false;    // handlers keep what they get to the end
  std::size_t call = 0;  // bytes of each of our own two calls; 0: there are none
};

// What a node made of a connection's bytes, in order.
std::vector<std::string> play(const std::vector<std::string>& pieces, const Choices& choices) {
  static auto& platform = *new QuietPlatform;
  std::vector<std::string> seen;
  std::vector<MeshMessage> messages;
  std::vector<IncomingCall> calls;
  MeshOptions options;
  options.cluster = "c";
  options.node = "n1";
  options.incarnation = 11;
  options.call_window = 4096;
  options.bulk_window = 1024;
  const auto core = std::make_shared<MeshCore>(platform, std::move(options));
  for (const auto kind : {FrameKind::raft, FrameKind::command, FrameKind::test}) {
    core->messages[static_cast<std::size_t>(kind)] = [&](const std::string& from,
                                                         MeshMessage message) {
      seen.push_back("message of " + from + ": " + message.bytes);
      if (choices.keeps) messages.push_back(std::move(message));
    };
    core->calls[static_cast<std::size_t>(kind)] = [&](const IncomingCall& call) {
      seen.push_back("call: " + call.bytes());
      if (choices.keeps) return calls.push_back(call);
      if (call.begin()) call.answer(call.bytes());
    };
  }
  core->link_handlers.push_back(
      [&](const std::string& node, bool up) { seen.push_back((up ? "up: " : "down: ") + node); });
  core->start([](Duration) {});
  core->set_peer("n2", {"nowhere", 1});
  core->tick();

  const auto stream = std::make_shared<Wire>();
  const std::shared_ptr<runtime::StreamHandler> handler = core->accept(stream);
  require(handler != nullptr, "a connection is accepted");
  if (choices.linked) handler->on_data(greeting());
  if (choices.linked && choices.call > 0) {
    for (int i = 0; i < 2; ++i)
      core->find("n2")->call(
          FrameKind::test, std::string(choices.call, 'q'), core->now() + std::chrono::seconds{1},
          [&seen](const Result<std::string>& reply) {
            seen.push_back(reply ? "reply: " + *reply : "no reply: " + reply.error().describe());
          });
  }
  for (const auto& piece : pieces)
    if (!stream->over()) handler->on_data(piece);
  seen.emplace_back(stream->over() ? "it was ended" : "it goes on");
  handler->on_closed({});
  messages.clear();
  calls.clear();
  core->stop();
  core->gate.close();

  FrameReader reader;
  const auto read = reader.read(stream->written, [](const Frame&) { return Result<void>{}; });
  require(read.has_value() && reader.held() == 0, "what a node says is frames", stream->written);
  return seen;
}

void check_link(FuzzedDataProvider& input) {
  const auto how = input.ConsumeIntegral<std::uint8_t>();
  Choices choices;
  choices.linked = input.ConsumeBool();
  choices.keeps = input.ConsumeBool();
  choices.call = input.ConsumeIntegralInRange<std::size_t>(0, 9);
  const auto bytes = input.ConsumeRemainingBytesAsString();
  const auto whole = play({bytes}, choices);
  const auto pieces = play(fuzz::cut(bytes, how), choices);
  std::string difference;
  for (const auto& line : whole) difference += line + '\n';
  difference += "---\n";
  for (const auto& line : pieces) difference += line + '\n';
  require(whole == pieces, "a link does not depend on how bytes were cut", difference);
}

void check_raft(const std::string& bytes) {
  const auto message = decode(bytes);
  if (!message) return;
  const auto again = encode(*message);
  const auto second = decode(again);
  require(second.has_value(), "what was decoded can be decoded again",
          second ? "" : second.error().describe());
  require(encode(*second) == again, "a decoded message is encoded as itself");
  require(message->entries.size() == message->head.append.n ||
              message->head.type != ENGINE_APPEND_ENTRIES,
          "the engine is told how many entries there are");
  for (const auto& entry : message->entries)
    if (entry.payload) decode_members(*entry.payload);
}

void check_members(const std::string& bytes) {
  const auto members = decode_members(bytes);
  if (members.empty()) return;
  const auto encoded = encode_members(members);
  require(encoded != nullptr, "members that were read can be written");
  require(decode_members(*encoded) == members, "members are read as they were written");
}

void check_command(const std::string& bytes) {
  const auto command = decode_command(bytes);
  if (!command) return;
  const auto id = id_of(*command);
  require(id.high == command->id_high() && id.client == command->id_client(), "an id is its parts");
}

void check_reply(const std::string& bytes) {
  const auto again = encode_reply(decode_reply(bytes));
  require(encode_reply(decode_reply(again)) == again, "a decoded reply is encoded as itself");
}

void check_greeting(const std::string& bytes) {
  MeshOptions ours;
  ours.cluster = "c";
  ours.node = "n1";
  const auto refusal = parse_refusal(bytes);
  require(parse_refusal(refusal_bytes(refusal)) == refusal, "a refusal is read as it was written");
  const auto hello = parse_hello(bytes);
  if (!hello) return;
  require(parse_hello(hello->SerializeAsString()).has_value(), "a hello can be read again");
  const auto agreed = check_hello(ours, *hello, hello->cluster());
  if (agreed)
    require(agreed->version == 1 && hello->cluster() == "c", "who is taken is of our cluster");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider input{data, size};
  switch (input.ConsumeIntegralInRange<int>(0, 7)) {
    case 0:
      check_raft(input.ConsumeRemainingBytesAsString());
      break;
    case 1:
      check_members(input.ConsumeRemainingBytesAsString());
      break;
    case 2:
      check_command(input.ConsumeRemainingBytesAsString());
      break;
    case 3:
      check_reply(input.ConsumeRemainingBytesAsString());
      break;
    case 4:
      check_greeting(input.ConsumeRemainingBytesAsString());
      break;
    default:
      check_link(input);
  }
  return 0;
}
