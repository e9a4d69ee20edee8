#include "tests/bench/gateway_node.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace troupe::bench {

GatewayNode::GatewayNode(const Options& options, const std::string& settings)
    : folder_(options.scratch + "/http"), port_(free_port()), grpc_port_(free_port()) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  scripts = std::make_unique<WrkScripts>(folder_);
  const unsigned short admin = free_port();
  const std::string manifest = folder_ + "/manifest.toml";
  std::ofstream(manifest) << "[cluster]\nname = \"bench\"\n[[nodes]]\nname = \"n1\"\n"
                          << "mesh = \"127.0.0.1:0\"\ngateway = \"127.0.0.1:" << port_
                          << "\"\ngrpc = \"127.0.0.1:" << grpc_port_
                          << "\"\nadmin = \"127.0.0.1:" << admin << "\"\ndata = \"" << folder_
                          << "/data\"\n[service_defaults]\nreplication_factor = 1\n"
                          << settings;
  server = std::make_unique<Server>(std::vector<std::string>{options.binary, "up", manifest},
                                    folder_ + "/up.log");
  server->wait_port(port_);
  run_command({"curl", "-sf", "--retry", "1000", "--retry-delay", "0", "--retry-max-time", "60",
               "--retry-all-errors", "-o", "/dev/null",
               "http://127.0.0.1:" + std::to_string(admin) + "/readyz"});
  // Until all are there: what comes twice is refused.
  for (int tries = 0; tries < 20; ++tries) {
    wrk(port_, "/", scripts->open(), 2, true);
    if (has(bench_accounts - 1)) return;
  }
  throw std::runtime_error("the accounts were not opened");
}

GatewayNode::~GatewayNode() {
  server.reset();
  std::filesystem::remove_all(folder_);
}

bool GatewayNode::has(int account) const {
  const std::string status = run_command(
      {"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
       "http://127.0.0.1:" + std::to_string(port_) + "/v1/accounts/a" + std::to_string(account)});
  return status == "200";
}

}  // namespace troupe::bench
