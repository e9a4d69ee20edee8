#include "tests/bench/cluster/etcd.hpp"

#include <filesystem>

#include "etcd.grpc.pb.h"
#include "tests/bench/cluster/grpc_loop.hpp"

namespace troupe::bench {
namespace {

constexpr std::uint64_t keys = 10'000;

std::string key_of(int caller, std::uint64_t number) {
  return "a" +
         std::to_string((static_cast<std::uint64_t>(caller) * 7919 + number * 104'729) % keys);
}

}  // namespace

struct Etcd::Client {
  explicit Client(const std::string& address)
      : channel(grpc::CreateChannel(address, grpc::InsecureChannelCredentials())),
        kv(etcdserverpb::KV::NewStub(channel)),
        maintenance(etcdserverpb::Maintenance::NewStub(channel)) {}

  bool leads() const {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds{1});
    etcdserverpb::StatusResponse status;
    return maintenance->Status(&context, {}, &status).ok() && status.leader() != 0 &&
           status.leader() == status.header().member_id();
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance;
};

Etcd::Etcd(const Options& options) : folder_(options.scratch + "/etcd") {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  const std::string host = "127.0.0.1:";
  std::vector<std::string> clients, peers;
  std::string cluster;
  for (int n = 0; n < 3; ++n) {
    clients.push_back(host + std::to_string(free_port()));
    peers.push_back("http://" + host + std::to_string(free_port()));
    cluster += (n ? ",e" : "e") + std::to_string(n) + "=" + peers.back();
  }
  for (std::size_t n = 0; n < 3; ++n)
    members_.push_back(std::make_unique<Server>(
        std::vector<std::string>{"etcd", "--name", "e" + std::to_string(n), "--data-dir",
                                 folder_ + "/" + std::to_string(n), "--listen-client-urls",
                                 "http://" + clients[n], "--advertise-client-urls",
                                 "http://" + clients[n], "--listen-peer-urls", peers[n],
                                 "--initial-advertise-peer-urls", peers[n], "--initial-cluster",
                                 cluster, "--initial-cluster-state", "new", "--log-level", "error"},
        folder_ + "/log" + std::to_string(n)));
  const auto start = Clock::now();
  while (!client_) {
    for (const std::string& address : clients) {
      auto client = std::make_unique<Client>(address);
      if (client->leads()) client_ = std::move(client);
    }
    if (since(start) > 30) throw std::runtime_error("etcd has no leader; see " + folder_);
  }
  puts(64, 0.5);
}

Etcd::~Etcd() {
  client_.reset();
  members_.clear();
  std::filesystem::remove_all(folder_);
}

LoopResult Etcd::puts(int callers, double seconds) {
  using namespace etcdserverpb;
  return grpc_loop<PutRequest, PutResponse>(
      callers, seconds,
      [this](auto... arguments) { return client_->kv->PrepareAsyncPut(arguments...); },
      [](PutRequest& request, int caller, std::uint64_t number) {
        request.set_key(key_of(caller, number));
        request.set_value(std::string(100, 'v'));
      });
}

LoopResult Etcd::gets(int callers, double seconds) {
  using namespace etcdserverpb;
  return grpc_loop<RangeRequest, RangeResponse>(
      callers, seconds,
      [this](auto... arguments) { return client_->kv->PrepareAsyncRange(arguments...); },
      [](RangeRequest& request, int caller, std::uint64_t number) {
        request.set_key(key_of(caller, number));
      });
}

}  // namespace troupe::bench
