#include "tests/bench/wrk.hpp"

#include <fstream>
#include <stdexcept>
#include <utility>
#include <vector>

#include "tests/bench/process.hpp"

namespace troupe::bench {
namespace {

double number_behind(const std::string& text, const std::string& mark) {
  const auto at = text.find(mark);
  if (at == std::string::npos) throw std::runtime_error("wrk does not say '" + mark + "'");
  return std::stod(text.substr(at + mark.size()));
}

std::string posts(const std::string& verb, const std::string& body, int step) {
  return "local n = 0\nlocal headers = {['Content-Type'] = 'application/json'}\n"
         "function request()\n  n = n + " +
         std::to_string(step) + "\n  return wrk.format('POST', '/v1/accounts/a' .. (n % " +
         std::to_string(bench_accounts) + ") .. ':" + verb + "', headers, '" + body + "')\nend\n";
}

}  // namespace

Load wrk(unsigned short port, const std::string& path, const std::string& script, double seconds,
         bool refusals_are_fine) {
  std::vector<std::string> command{"wrk", "-t1", "-c" + std::to_string(wrk_connections),
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

WrkScripts::WrkScripts(std::string folder) : folder_(std::move(folder)) {
  const std::string done =
      "function done(summary, latency, requests)\n"
      "  io.write('p99_us ', latency:percentile(99), '\\n')\nend\n";
  write("get.lua", done);
  write("open.lua", done + posts("open", R"({"owner":"wrk","currency":"EUR"})", 1));
  // Far from each other, so that a run does not meet one account twice at a time.
  write("deposit.lua",
        done + posts("deposit", R"({"amount":{"currency":"EUR","minorUnits":"1"}})", 7919));
}

void WrkScripts::write(const std::string& name, const std::string& text) const {
  std::ofstream(folder_ + "/" + name) << text;
}

}  // namespace troupe::bench
