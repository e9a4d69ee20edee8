// What clients of the gateway get: reads and durable commands as JSON over HTTP, 64 keep-alive
// connections of wrk, which runs on the same two cores as all servers.
#include <filesystem>
#include <fstream>
#include <memory>

#include "tests/bench/beast.hpp"
#include "tests/bench/gateway_node.hpp"
#include "tests/bench/process.hpp"
#include "tests/bench/yardsticks.hpp"

namespace troupe::bench {
namespace {

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
  std::unique_ptr<NginxProxy> proxy;
  std::unique_ptr<BeastServer> bare;
  if (!options.ours_only) {
    proxy = std::make_unique<NginxProxy>(options);
    bare = std::make_unique<BeastServer>(options);
  }
  for (int run = 0; run < options.runs; ++run) {
    const double before = node.server->cpu_seconds();
    const Load ours = wrk(node.port(), "/v1/accounts/a77", node.scripts->get(), options.seconds);
    nginx.ours.runs.push_back(ours.rate);
    beast.ours.runs.push_back(ours.rate);
    cpu.ours.runs.push_back((node.server->cpu_seconds() - before) * 1e6 /
                            (ours.rate * options.seconds));
    p99.ours.runs.push_back(ours.p99_us);
    if (options.ours_only) continue;
    nginx.theirs.runs.push_back(wrk(proxy->port(), "/", node.scripts->get(), options.seconds).rate);
    beast.theirs.runs.push_back(wrk(bare->port(), "/", node.scripts->get(), options.seconds).rate);
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
  std::unique_ptr<Postgres> server;
  if (!options.ours_only) server = std::make_unique<Postgres>(options);
  for (int run = 0; run < options.runs; ++run) {
    const double before = node.server->cpu_seconds();
    const Load ours = wrk(node.port(), "/", node.scripts->deposit(), options.seconds);
    postgres.ours.runs.push_back(ours.rate);
    cpu.ours.runs.push_back((node.server->cpu_seconds() - before) * 1e6 /
                            (ours.rate * options.seconds));
    p99.ours.runs.push_back(ours.p99_us);
    if (options.ours_only) continue;
    postgres.theirs.runs.push_back(server->inserts_per_second(wrk_connections, options.seconds));
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
