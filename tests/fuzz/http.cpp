// Bytes of a client, into the gateway. Whatever they are: it takes the same requests and makes the
// same calls of them in one piece and in many, and what it answers is HTTP, an answer for each
// request in their order, and JSON inside.
#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <deque>
#include <optional>

#include "cluster/gateway/api.hpp"
#include "cluster/gateway/http/http_server.hpp"
#include "cluster/gateway/http/http_telemetry.hpp"
#include "cluster/gateway/http/url.hpp"
#include "cluster/gateway/openapi.hpp"
#include "memory_platform.hpp"
#include "test_services.hpp"
#include "tests/fuzz/fuzz.hpp"

using namespace troupe;
using namespace troupe::cluster;
using fuzz::require;

namespace {

// What came of some bytes, as text that can be compared.
struct Outcome {
  std::vector<std::string> requests;
  std::vector<std::string> calls;
  std::vector<bool> heads;  // by request: whether it is answered without a body
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

// Answers a call with its own payload, now or when it is told to. So replies are what a client has
// made up, too.
class Echo final : public actors::Client {
 public:
  void send(actors::CallBase call, actors::CallOptions options, actors::ReplyTo reply_to) override {
    std::string text = call.service->methods[call.method].name + ' ' + call.key + ' ';
    if (options.id)
      text += std::to_string(options.id->high) + '-' + std::to_string(options.id->low) + ' ';
    if (options.if_version) text += std::to_string(*options.if_version) + ' ';
    text += options.fresh ? "fresh " : "";
    outcome->calls.push_back(text + call.payload);
    actors::Reply reply;
    reply.version = reply.shard_index = call.payload.size();
    reply.payload = std::move(call.payload);
    if (at_once) return reply_to(std::move(reply));
    waiting.push_back({std::move(reply_to), std::move(reply)});
  }

  // The youngest first: the server has to put the answers in order.
  bool answer_one() {
    if (waiting.empty()) return false;
    auto [reply_to, reply] = std::move(waiting.back());
    waiting.pop_back();
    reply_to(std::move(reply));
    return true;
  }

  Outcome* outcome = nullptr;
  bool at_once = true;
  std::deque<std::pair<actors::ReplyTo, actors::Reply>> waiting;
};

class Edge {
 public:
  Edge() {
    auto routes = Routes::make({&tests::library()});
    require(routes.has_value(), "the contract is fine");
    ApiOptions options{std::chrono::seconds{7}, Cors{{{"https://shop.example"}}}, {"{}", "\"1\""}};
    api_.emplace(echo_, platform_.random(), *routes, std::move(options));
    HttpLimits limits;
    limits.target_bytes_max = 128;
    limits.header_bytes_max = 512;
    limits.body_bytes_max = 256;
    limits.in_flight_max = 4;
    auto server =
        HttpServer::listen(platform_, {"127.0.0.1", 0}, observed(platform_, "gateway", limits),
                           [this](HttpRequest request, Respond respond) {
                             note(request);
                             api_->handle(std::move(request), std::move(respond));
                           });
    require(server.has_value(), "the server listens");
    server_ = std::move(*server);
  }

  // `end`: what happens when all bytes are there. Returns the bytes of the answers, too.
  enum class End : std::uint8_t { hang_up, time_passes, half_a_request_more };
  std::pair<Outcome, std::string> play(const std::vector<std::string>& pieces, bool at_once,
                                       End end) {
    Outcome outcome;
    echo_.outcome = outcome_ = &outcome;
    echo_.at_once = at_once;
    tests::MemoryClient client{platform_, server_->local()};
    for (const auto& piece : pieces) client.send(piece);
    if (end == End::half_a_request_more) client.send("\r\n\r\nGET / HTTP/1.1\r\nHo");
    platform_.network().run();
    while (echo_.answer_one()) platform_.network().run();
    if (end == End::time_passes) platform_.advance(std::chrono::minutes{5});
    std::string answers = client.take();
    if (end == End::time_passes) require(client.closed(), "no connection is open for ever");
    client.hang_up();
    platform_.network().run();
    require(echo_.waiting.empty(), "every call was made before the end");
    platform_.log().lines.clear();
    static_cast<tests::MemoryClock&>(platform_.clock()).elapsed = std::chrono::hours{1};
    return {std::move(outcome), std::move(answers)};
  }

 private:
  void note(const HttpRequest& request) {
    std::string text = request.method + ' ' + request.target + ' ' + request.path + '\n';
    for (const auto& [name, value] : request.query) text += name + '=' + value + '\n';
    for (const auto& header : request.headers) text += header.name + ": " + header.value + '\n';
    outcome_->requests.push_back(text + '\n' + request.body);
    outcome_->heads.push_back(request.method == "HEAD");
  }

  tests::MemoryPlatform platform_;
  Echo echo_;
  Outcome* outcome_ = nullptr;
  std::optional<Api> api_;
  std::unique_ptr<HttpServer> server_;
};

// The value of a header of an answer; it has it once at most.
std::optional<std::string_view> header(std::string_view head, std::string_view name) {
  std::optional<std::string_view> found;
  while (!head.empty()) {
    const auto line = head.substr(0, head.find("\r\n"));
    head.remove_prefix(std::min(line.size() + 2, head.size()));
    const auto colon = line.find(": ");
    require(colon != std::string_view::npos && colon > 0, "a header has a name", line);
    require(std::ranges::none_of(line, [](unsigned char c) { return c < 0x20 || c == 0x7F; }),
            "a header is one line", line);
    if (line.substr(0, colon) != name) continue;
    require(!found, "a header of an answer is there once", line);
    found = line.substr(colon + 2);
  }
  return found;
}

void check_answers(std::string_view bytes, const Outcome& outcome) {
  std::size_t count = 0;
  bool over = false;
  while (!bytes.empty()) {
    require(!over, "nothing follows an answer that closes", bytes);
    require(bytes.starts_with("HTTP/1.1 ") && bytes.size() > 13, "an answer has a status", bytes);
    unsigned status = 0;
    std::from_chars(bytes.data() + 9, bytes.data() + 12, status);
    require(status >= 100 && status < 600, "a status has three digits", bytes);
    const auto line = bytes.find("\r\n");
    const auto end = bytes.find("\r\n\r\n");
    require(end != std::string_view::npos, "an answer's head ends", bytes);
    const auto head = end == line ? std::string_view{} : bytes.substr(line + 2, end - line - 2);
    bytes.remove_prefix(end + 4);
    if (status == 100) continue;
    over = header(head, "Connection") == "close";
    const bool refused = count >= outcome.requests.size();
    if (refused)
      require(over && status >= 400, "beside the requests only a refusal is answered", head);
    const auto length_text = header(head, "Content-Length");
    const bool bodiless = status == 204 || status == 304;
    require(bodiless != length_text.has_value(), "a body has a length", head);
    std::size_t length = 0;
    if (length_text)
      std::from_chars(length_text->data(), length_text->data() + length_text->size(), length);
    // A refusal may be one of a HEAD request.
    if (!refused && outcome.heads[count]) length = 0;
    if (refused && bytes.empty()) length = 0;
    require(length <= bytes.size(), "a body is as long as it says", head);
    const auto body = bytes.substr(0, length);
    bytes.remove_prefix(length);
    const auto type = header(head, "Content-Type");
    if (!body.empty() && type && type->find("json") != std::string_view::npos) {
      boost::json::error_code wrong;
      boost::json::parse({body.data(), body.size()}, wrong);
      require(!wrong, "an answer of JSON is JSON", body);
      require(is_utf8(body), "JSON is UTF-8", body);
    }
    ++count;
  }
  require(count == outcome.requests.size() || count == outcome.requests.size() + 1,
          "every request is answered once");
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static auto& edge = *new Edge;
  FuzzedDataProvider input{data, size};
  const auto how = input.ConsumeIntegral<std::uint8_t>();
  const bool at_once = input.ConsumeBool();
  const auto end = static_cast<Edge::End>(input.ConsumeIntegralInRange<int>(0, 2));
  const auto bytes = input.ConsumeRemainingBytesAsString();
  const auto [whole, answers] = edge.play({bytes}, at_once, end);
  const auto [pieces, answers_to_pieces] = edge.play(fuzz::cut(bytes, how), at_once, end);
  require(whole.requests == pieces.requests, "requests do not depend on how bytes were cut");
  require(whole.calls == pieces.calls, "calls do not depend on how bytes were cut");
  check_answers(answers, whole);
  check_answers(answers_to_pieces, pieces);
  return 0;
}
