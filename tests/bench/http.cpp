// What clients of the gateway get: reads and durable commands as JSON over HTTP, 64 keep-alive
// connections of wrk, which runs on the same two cores as all servers.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>

#include "tests/bench/beast.hpp"
#include "tests/bench/fixture.hpp"
#include "tests/bench/process.hpp"
#include "tests/bench/yardsticks.hpp"

namespace troupe::bench {
namespace {

constexpr int clients = 64;
constexpr int accounts = 10'000;

struct Load {
  double rate = 0;  // answers a second
  double p99_us = 0;
};

double number_behind(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) throw std::runtime_error("wrk does not say '" + mark + "'");
  return std::stod(text.substr(at + mark.size()));
}

// `script`: Lua, empty: GETs of the path. Every answer has to be a good one.
Load wrk(unsigned short port, const std::string& path, const std::string& script, double seconds,
         bool refusals_are_fine = false) {
  std::vector<std::string> command{"wrk", "-t1", "-c" + std::to_string(clients),
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

class Scripts {
 public:
  explicit Scripts(const std::string& folder) : folder_(folder) {
    const std::string done =
        "function done(summary, latency, requests)\n"
        "  io.write('p99_us ', latency:percentile(99), '\\n')\nend\n";
    write("get.lua", done);
    write("open.lua", done + posts("open", R"({"owner":"wrk","currency":"EUR"})", 1));
    // Far from each other, so that a run does not meet one account twice at a time.
    write("deposit.lua",
          done + posts("deposit", R"({"amount":{"currency":"EUR","minorUnits":"1"}})", 7919));
  }
  std::string get() const { return folder_ + "/get.lua"; }
  std::string open() const { return folder_ + "/open.lua"; }
  std::string deposit() const { return folder_ + "/deposit.lua"; }

 private:
  static std::string posts(const std::string& verb, const std::string& body, int step) {
    return "local n = 0\nlocal headers = {['Content-Type'] = 'application/json'}\n"
           "function request()\n  n = n + " +
           std::to_string(step) + "\n  return wrk.format('POST', '/v1/accounts/a' .. (n % " +
           std::to_string(accounts) + ") .. ':" + verb + "', headers, '" + body + "')\nend\n";
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  const std::string folder_;
};

// `troupe up` with 10,000 accounts.
class GatewayNode {
 public:
  explicit GatewayNode(const Options& options)
      : folder_(options.scratch + "/http"), port_(free_port()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    scripts = std::make_unique<Scripts>(folder_);
    const unsigned short admin = free_port();
    const std::string manifest = folder_ + "/manifest.toml";
    std::ofstream(manifest) << "[cluster]\nname = \"bench\"\n[[nodes]]\nname = \"n1\"\n"
                            << "mesh = \"127.0.0.1:0\"\ngateway = \"127.0.0.1:" << port_
                            << "\"\nadmin = \"127.0.0.1:" << admin << "\"\ndata = \"" << folder_
                            << "/data\"\n[service_defaults]\nreplication_factor = 1\nshards = 4\n";
    server = std::make_unique<Server>(std::vector<std::string>{options.binary, "up", manifest},
                                      folder_ + "/up.log");
    server->wait_port(port_);
    run_command({"curl", "-sf", "--retry", "1000", "--retry-delay", "0", "--retry-max-time", "60",
                 "--retry-all-errors", "-o", "/dev/null",
                 "http://127.0.0.1:" + std::to_string(admin) + "/readyz"});
    // Until all are there: what comes twice is refused.
    for (int tries = 0; tries < 20; ++tries) {
      wrk(port_, "/", scripts->open(), 2, true);
      if (has(accounts - 1)) return;
    }
    throw std::runtime_error("the accounts were not opened");
  }
  ~GatewayNode() {
    server.reset();
    std::filesystem::remove_all(folder_);
  }
  unsigned short port() const { return port_; }

  std::unique_ptr<Scripts> scripts;
  std::unique_ptr<Server> server;

 private:
  bool has(int account) const {
    const std::string status = run_command(
        {"curl", "-s", "-o", "/dev/null", "-w", "%{http_code}",
         "http://127.0.0.1:" + std::to_string(port_) + "/v1/accounts/a" + std::to_string(account)});
    return status == "200";
  }
  const std::string folder_;
  const unsigned short port_;
};

// nginx that asks nginx, which answers 200 bytes.
class NginxProxy {
 public:
  explicit NginxProxy(const Options& options)
      : folder_(options.scratch + "/nginx"), port_(free_port()) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    const unsigned short behind = free_port();
    const std::string file = folder_ + "/nginx.conf";
    std::ofstream(file) << "daemon off;\nworker_processes auto;\npid " << folder_ << "/pid;\n"
                        << "error_log " << folder_ << "/error.log;\nevents {}\nhttp {\n"
                        << "  access_log off;\n  keepalive_requests 100000000;\n"
                        << "  client_body_temp_path " << folder_ << "/body;\n  proxy_temp_path "
                        << folder_ << "/proxy;\n  fastcgi_temp_path " << folder_
                        << "/fastcgi;\n  uwsgi_temp_path " << folder_
                        << "/uwsgi;\n  scgi_temp_path " << folder_ << "/scgi;\n"
                        << "  upstream behind { server 127.0.0.1:" << behind
                        << "; keepalive 64; keepalive_requests 100000000; }\n"
                        << "  server { listen 127.0.0.1:" << port_
                        << "; location / { proxy_pass http://behind; proxy_http_version 1.1; "
                        << "proxy_set_header Connection ''; } }\n"
                        << "  server { listen 127.0.0.1:" << behind
                        << "; location / { default_type application/json; return 200 '"
                        << std::string(200, 'x') << "'; } }\n}\n";
    server_ =
        std::make_unique<Server>(std::vector<std::string>{"/usr/sbin/nginx", "-c", file, "-p",
                                                          folder_, "-e", folder_ + "/error.log"},
                                 folder_ + "/nginx.log");
    server_->wait_port(port_);
  }
  ~NginxProxy() {
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  unsigned short port() const { return port_; }

 private:
  const std::string folder_;
  const unsigned short port_;
  std::unique_ptr<Server> server_;
};

std::vector<Figure> reads(const Options& options) {
  Figure nginx{"http_reads.rate_over_nginx",
               "reads/s",
               "",
               {},
               "nginx 1.22 proxying to nginx, 200 bytes",
               {},
               1,
               0,
               false};
  Figure beast{"http_reads.rate_over_beast",
               "reads/s",
               "",
               {},
               "bare Boost.Beast server, 200 bytes",
               {},
               0.6,
               0,
               false};
  Figure cpu{"http_reads.cpu", "us of processor time per read", "", {}, "", {}, 0, 0, true};
  Figure p99{"http_reads.p99", "us", "", {}, "", {}, 0, 0, true};
  GatewayNode node{options};
  NginxProxy proxy{options};
  const BeastServer bare{options};
  for (int run = 0; run < options.runs; ++run) {
    const double before = node.server->cpu_seconds();
    const Load ours = wrk(node.port(), "/v1/accounts/a77", node.scripts->get(), options.seconds);
    nginx.ours.runs.push_back(ours.rate);
    beast.ours.runs.push_back(ours.rate);
    cpu.ours.runs.push_back((node.server->cpu_seconds() - before) * 1e6 /
                            (ours.rate * options.seconds));
    p99.ours.runs.push_back(ours.p99_us);
    nginx.theirs.runs.push_back(wrk(proxy.port(), "/", node.scripts->get(), options.seconds).rate);
    beast.theirs.runs.push_back(wrk(bare.port(), "/", node.scripts->get(), options.seconds).rate);
    progress("  run " + std::to_string(run + 1) + ": " + std::to_string(int(ours.rate)) +
             " reads/s, nginx " + std::to_string(int(nginx.theirs.runs.back())) + ", Beast " +
             std::to_string(int(beast.theirs.runs.back())));
  }
  return {nginx, beast, cpu, p99};
}

std::vector<Figure> deposits(const Options& options) {
  const std::string durable = "fsync before every reply, one node";
  Figure postgres{"http_deposits.rate_over_postgres",
                  "commands/s",
                  durable,
                  {},
                  "PostgreSQL 15 one-row INSERT, 64 clients, synchronous_commit=on",
                  {},
                  1,
                  0,
                  false};
  Figure cpu{
      "http_deposits.cpu", "us of processor time per command", durable, {}, "", {}, 0, 0, true};
  Figure p99{"http_deposits.p99", "us", durable, {}, "", {}, 0, 0, true};
  GatewayNode node{options};
  Postgres server{options};
  for (int run = 0; run < options.runs; ++run) {
    const double before = node.server->cpu_seconds();
    const Load ours = wrk(node.port(), "/", node.scripts->deposit(), options.seconds);
    postgres.ours.runs.push_back(ours.rate);
    cpu.ours.runs.push_back((node.server->cpu_seconds() - before) * 1e6 /
                            (ours.rate * options.seconds));
    p99.ours.runs.push_back(ours.p99_us);
    postgres.theirs.runs.push_back(server.inserts_per_second(clients, options.seconds));
    progress("  run " + std::to_string(run + 1) + ": " + std::to_string(int(ours.rate)) +
             " deposits/s, PostgreSQL " + std::to_string(int(postgres.theirs.runs.back())));
  }
  return {postgres, cpu, p99};
}

}  // namespace

std::vector<NamedPart> http_parts() {
  return {
      {"http_reads", "reads of one account as JSON over HTTP, 64 connections", reads},
      {"http_deposits", "durable deposits over HTTP, 64 connections, 10,000 accounts", deposits}};
}

}  // namespace troupe::bench
