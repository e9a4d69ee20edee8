#include "tests/simulations/node/simulated_node.hpp"

#include <charconv>
#include <stdexcept>

#include "config/load.hpp"
#include "simulations/rehearsal/hosting.hpp"

namespace troupe::simulations {

namespace {

constexpr const char* manifest_text = R"(
[cluster]
name = "rehearsal"

[[nodes]]
name = "n1"
mesh = "n1:7400"
gateway = "n1:8080"
admin = "n1:7480"
data = "/data"
services = ["banking.v1.Accounts"]

[services."banking.v1.Accounts"]
shards = 4
replication_factor = 1
)";

config::Manifest load() {
  const auto nothing = [](const std::string&) { return std::nullopt; };
  auto manifest = config::load_manifest(manifest_text, "rehearsal.toml", nothing);
  if (!manifest) throw std::runtime_error{manifest.error().front().message};
  manifest->storage.reserve_bytes = 1 << 20;
  manifest->storage.segment_bytes = 1 << 20;
  manifest->storage.checkpoint_entries = 20;
  return std::move(*manifest);
}

struct Caller final : runtime::StreamHandler {
  std::string received;
  bool closed = false;
  void on_data(std::string_view bytes) override { received += bytes; }
  void on_closed(const Result<void>&) override { closed = true; }
};

constexpr std::uint16_t admin_port = 7480;

std::shared_ptr<Caller> begin(World& world, const std::string& machine, const std::string& request,
                              std::uint16_t port) {
  const auto caller = std::make_shared<Caller>();
  world.outside().network().connect(
      {machine, port}, std::chrono::seconds{1},
      [caller, request](auto stream) -> std::shared_ptr<runtime::StreamHandler> {
        if (!stream) {
          caller->closed = true;
          return nullptr;
        }
        (*stream)->write(request);
        return caller;
      });
  return caller;
}

Answer call(World& world, const std::string& machine, const std::string& request,
            std::uint16_t port = 8080) {
  const auto caller = begin(world, machine, request, port);
  world.run_until([&] { return caller->closed; }, std::chrono::seconds{30});
  Answer answer;
  const auto& text = caller->received;
  const auto head_end = text.find("\r\n\r\n");
  if (!text.starts_with("HTTP/1.1 ") || head_end == std::string::npos) return answer;
  std::from_chars(text.data() + 9, text.data() + 12, answer.status);
  answer.head = text.substr(0, head_end);
  answer.body = text.substr(head_end + 4);
  return answer;
}

std::string order_request(const std::string& path, const std::string& body) {
  return "POST " + path +
         " HTTP/1.1\r\nHost: n1\r\nConnection: close\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace

std::string Answer::header(const std::string& name) const {
  const std::string start = "\r\n" + name + ": ";
  const auto at = head.find(start);
  if (at == std::string::npos) return {};
  const auto from = at + start.size();
  return head.substr(from, head.find("\r\n", from) - from);
}

StartProcess BankNode::start(const actors::ServiceRegistry& services) {
  return [manifest = load(), &services, first_start = std::make_shared<FirstStart>()](
             runtime::Platform& platform) -> Result<std::unique_ptr<SimulatedProcess>> {
    TROUPE_CHECK(first_start->prepare(platform, manifest, "n1", 1));
    TROUPE_TRY(node, cluster::Node::start(platform, manifest, "n1", services));
    return std::unique_ptr<SimulatedProcess>(new BankNode{std::move(node)});
  };
}

Answer get(World& world, const std::string& path, const std::string& machine) {
  return call(world, machine, "GET " + path + " HTTP/1.1\r\nHost: n1\r\nConnection: close\r\n\r\n");
}

Answer ask_admin(World& world, const std::string& path, const std::string& machine) {
  return call(world, machine, "GET " + path + " HTTP/1.1\r\nHost: n1\r\nConnection: close\r\n\r\n",
              admin_port);
}

Answer order_admin(World& world, const std::string& path, const std::string& body,
                   const std::string& machine) {
  return call(world, machine, order_request(path, body), admin_port);
}

void begin_order(World& world, const std::string& path, const std::string& body,
                 const std::string& machine) {
  begin(world, machine, order_request(path, body), admin_port);
}

Answer post(World& world, const std::string& path, const std::string& idempotency_key,
            const std::string& body, const std::string& machine) {
  return call(world, machine,
              "POST " + path + " HTTP/1.1\r\nHost: n1\r\nConnection: close\r\nIdempotency-Key: " +
                  idempotency_key + "\r\nContent-Type: application/json\r\n" +
                  "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
}

}  // namespace troupe::simulations
