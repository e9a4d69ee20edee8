#include "tests/bench/gateway_node.hpp"

#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

namespace troupe::bench {
namespace {

double number_behind(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) throw std::runtime_error("wrk does not say '" + mark + "'");
  return std::stod(text.substr(at + mark.size()));
}

}  // namespace

WrkLoad wrk(int connections, unsigned short port, const std::string& path,
            const std::string& script, double seconds, bool refusals_are_fine) {
  std::vector<std::string> command{"wrk", "-t1", "-c" + std::to_string(connections),
                                   "-d" + std::to_string(static_cast<int>(seconds + 0.5)) + "s"};
  // wrk's own percentiles are rounded to two digits; the script's hook tells them whole.
  command.insert(command.end(), {"-s", script});
  command.push_back("http://127.0.0.1:" + std::to_string(port) + path);
  const std::string said = run_command(command);
  if (!refusals_are_fine && (said.find("Non-2xx") != std::string::npos ||
                             said.find("Socket errors") != std::string::npos))
    throw std::runtime_error("not every request was answered well: " + said);
  return {number_behind(said, "Requests/sec:"), number_behind(said, "p99_us ")};
}

WrkScripts::WrkScripts(const std::string& folder) : folder_(folder) {
  const std::string done =
      "function done(summary, latency, requests)\n"
      "  io.write('p99_us ', latency:percentile(99), '\\n')\nend\n";
  write("get.lua", done);
  write("open.lua", done + posts("open", R"({"owner":"wrk","currency":"EUR"})", 1));
  // Far from each other, so that a run does not meet one account twice at a time.
  write("deposit.lua",
        done + posts("deposit", R"({"amount":{"currency":"EUR","minorUnits":"1"}})", 7919));
}

std::string WrkScripts::posts(const std::string& verb, const std::string& body, int step) {
  return "local n = 0\nlocal headers = {['Content-Type'] = 'application/json'}\n"
         "function request()\n  n = n + " +
         std::to_string(step) + "\n  return wrk.format('POST', '/v1/accounts/a' .. (n % " +
         std::to_string(gateway_accounts) + ") .. ':" + verb + "', headers, '" + body + "')\nend\n";
}

void WrkScripts::write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ + "/" + name) << text;
}

GatewayNode::GatewayNode(const Options& options, const std::string& settings)
    : folder_(options.scratch + "/http"), port_(free_port()) {
  std::filesystem::remove_all(folder_);
  std::filesystem::create_directories(folder_);
  scripts = std::make_unique<WrkScripts>(folder_);
  const unsigned short admin = free_port();
  const std::string manifest = folder_ + "/manifest.toml";
  std::ofstream(manifest) << "[cluster]\nname = \"bench\"\n[[nodes]]\nname = \"n1\"\n"
                          << "mesh = \"127.0.0.1:0\"\ngateway = \"127.0.0.1:" << port_
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
    wrk(64, port_, "/", scripts->open(), 2, true);
    if (has(gateway_accounts - 1)) return;
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
