#include "tests/bench/yardsticks.hpp"

#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <caf/all.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace troupe::bench {
namespace {

const std::string postgres_bin = "/usr/lib/postgresql/15/bin/";

// PostgreSQL refuses to run as root.
std::vector<std::string> as_postgres(std::vector<std::string> command) {
  if (geteuid() != 0) return command;
  std::vector<std::string> wrapped{"runuser", "-u", "postgres", "--"};
  wrapped.insert(wrapped.end(), command.begin(), command.end());
  return wrapped;
}

// The figure that follows a label in a tool's output.
double number_after(const std::string& text, const std::string& label) {
  const auto at = text.find(label);
  if (at == std::string::npos) throw std::runtime_error("no '" + label + "' in: " + text);
  return std::stod(text.substr(at + label.size()));
}

void check(int status, sqlite3* database) {
  if (status != SQLITE_OK && status != SQLITE_DONE && status != SQLITE_ROW)
    throw std::runtime_error(std::string{"SQLite: "} + sqlite3_errmsg(database));
}

}  // namespace

Postgres::Postgres(const Options& options)
    : folder_(options.scratch + "/postgres"), port_(free_port()) {
  std::filesystem::create_directories(folder_);
  if (geteuid() == 0) run_command({"chown", "postgres", folder_});
  run_command(as_postgres(
      {postgres_bin + "initdb", "-A", "trust", "-U", "postgres", "-D", folder_ + "/data"}));
  run_command(as_postgres({postgres_bin + "pg_ctl", "-w", "-D", folder_ + "/data", "-l",
                           folder_ + "/log", "-o",
                           "-p " + std::to_string(port_) + " -k " + folder_ +
                               " -c listen_addresses=127.0.0.1 -c shared_buffers=512MB -c "
                               "max_connections=100 -c max_wal_size=2GB",
                           "start"}));
  run_command({postgres_bin + "psql", "-q", "-h", "127.0.0.1", "-p", std::to_string(port_), "-U",
               "postgres", "-c", "create table ins(id bigserial primary key, k bytea, v bytea)",
               "postgres"});
  std::ofstream(folder_ + "/insert.sql")
      << "insert into ins(k,v) values('\\x00112233445566778899aabbccddeeff', "
         "repeat('v',100)::bytea);\n";
}

Postgres::~Postgres() {
  try {
    run_command(as_postgres(
        {postgres_bin + "pg_ctl", "-w", "-D", folder_ + "/data", "-m", "fast", "stop"}));
  } catch (const std::exception& failure) {
    progress(failure.what());
  }
  std::filesystem::remove_all(folder_);
}

double Postgres::inserts_per_second(int clients, double seconds) {
  return number_after(
      run_command({postgres_bin + "pgbench", "-h", "127.0.0.1", "-p", std::to_string(port_), "-U",
                   "postgres", "-n", "-M", "prepared", "-f", folder_ + "/insert.sql", "-c",
                   std::to_string(clients), "-j", clients > 1 ? "2" : "1", "-T",
                   std::to_string(std::max(1, static_cast<int>(seconds))), "postgres"}),
      "tps = ");
}

Redis::Redis(const Options& options) : port_(free_port()) {
  const std::string folder = options.scratch + "/redis";
  std::filesystem::create_directories(folder);
  server_ = std::make_unique<Server>(
      std::vector<std::string>{"redis-server", "--port", std::to_string(port_), "--bind",
                               "127.0.0.1", "--dir", folder, "--appendonly", "yes", "--appendfsync",
                               "always", "--save", "", "--daemonize", "no"},
      options.scratch + "/redis.log");
  server_->wait_port(port_);
}

double Redis::sets_per_second(int clients, double seconds) {
  const auto rate = [&](int requests) {
    const std::string csv = run_command({"redis-benchmark", "-p", std::to_string(port_), "-t",
                                         "set", "-c", std::to_string(clients), "-d", "100", "-r",
                                         "100000", "-n", std::to_string(requests), "--csv"});
    const auto line = csv.rfind("\"SET\",\"");
    if (line == std::string::npos) throw std::runtime_error("redis-benchmark said: " + csv);
    return std::stod(csv.substr(line + 7));
  };
  return rate(static_cast<int>(rate(20'000) * seconds) + 1000);
}

double sqlite_rows_per_second(const Options& options, int rows_per_commit) {
  const std::string folder = options.scratch + "/sqlite";
  std::filesystem::remove_all(folder);
  std::filesystem::create_directories(folder);
  sqlite3* database = nullptr;
  check(sqlite3_open((folder + "/t.db").c_str(), &database), database);
  const auto execute = [&](const char* sql) {
    check(sqlite3_exec(database, sql, nullptr, nullptr, nullptr), database);
  };
  execute("PRAGMA journal_mode=WAL");
  execute("PRAGMA synchronous=FULL");
  execute("CREATE TABLE t(id INTEGER PRIMARY KEY, k BLOB, v BLOB)");
  sqlite3_stmt* insert = nullptr;
  check(sqlite3_prepare_v2(database, "INSERT INTO t(k,v) VALUES(?,?)", -1, &insert, nullptr),
        database);
  const std::string key(16, 'k'), value(100, 'v');
  double rows = 0;
  const auto start = Clock::now();
  while (since(start) < options.seconds) {
    execute("BEGIN IMMEDIATE");
    for (int row = 0; row < rows_per_commit; ++row) {
      sqlite3_bind_blob(insert, 1, key.data(), 16, SQLITE_STATIC);
      sqlite3_bind_blob(insert, 2, value.data(), 100, SQLITE_STATIC);
      check(sqlite3_step(insert), database);
      sqlite3_reset(insert);
    }
    execute("COMMIT");
    rows += rows_per_commit;
  }
  const double rate = rows / since(start);
  sqlite3_finalize(insert);
  sqlite3_close(database);
  std::filesystem::remove_all(folder);
  return rate;
}

double fdatasync_median_us(const Options& options) {
  const std::string path = options.scratch + "/append";
  const int file = open(path.c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0600);
  const std::string block(4096, 'x');
  std::vector<double> times;
  const auto start = Clock::now();
  while (since(start) < options.seconds) {
    const auto begin = Clock::now();
    if (write(file, block.data(), block.size()) != 4096 || fdatasync(file) != 0)
      throw std::runtime_error("cannot append to " + path);
    times.push_back(since(begin) * 1e6);
  }
  close(file);
  unlink(path.c_str());
  std::nth_element(times.begin(), times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2),
                   times.end());
  return times[times.size() / 2];
}

double caf_requests_per_second(const Options& options, int in_flight, std::size_t request_bytes,
                               std::size_t response_bytes) {
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", 2);
  std::atomic<bool> stop{false};
  std::atomic<std::uint64_t> done{0};
  double rate = 0;
  {
    caf::actor_system system{config};
    const std::string response(response_bytes, 'r');
    auto server = system.spawn([response](caf::event_based_actor*) -> caf::behavior {
      return {[response](const std::string&) { return response; }};
    });
    auto client = system.spawn([&, server](caf::event_based_actor* self) -> caf::behavior {
      return {[&, self, server](std::string& request) {
        self->request(server, caf::infinite, request).then([&, self, request](const std::string&) {
          done.fetch_add(1, std::memory_order_relaxed);
          if (!stop) self->send(self, request);
        });
      }};
    });
    for (int n = 0; n < in_flight; ++n) caf::anon_send(client, std::string(request_bytes, 'q'));
    const auto start = Clock::now();
    const std::uint64_t before = done;
    std::this_thread::sleep_for(std::chrono::duration<double>(options.seconds));
    rate = static_cast<double>(done - before) / since(start);
    stop = true;
    caf::anon_send_exit(client, caf::exit_reason::user_shutdown);
    caf::anon_send_exit(server, caf::exit_reason::user_shutdown);
  }
  return rate;
}

}  // namespace troupe::bench
