// `troupe certs`: an authority, its nodes and what it has taken back.
#include <sys/stat.h>

#include "cluster/cli/command/certificate_folder.hpp"
#include "cluster/cli/command/commands.hpp"
#include "support.hpp"

namespace troupe::cluster {
namespace {

using namespace std::chrono_literals;

// `troupe certs` at times of the test's choice.
struct Certs {
  TemporaryFolder temporary;
  CertsOptions options;
  WallTime now{std::chrono::sys_days{std::chrono::year{2026} / 11 / 26} + 12h};
  std::string out, err;

  Certs() {
    options.folder = temporary.path() + "/certs";
    options.cluster = "shop";
  }
  int run(const std::string& what) {
    std::ostringstream to_out, to_err;
    CliIo io;
    io.out = &to_out;
    io.err = &to_err;
    const int status = run_certs(io, what, options, now);
    out = to_out.str();
    err = to_err.str();
    return status;
  }
  int run(const std::string& what, const std::string& name) {
    options.name = name;
    options.names = name.empty() ? std::vector<std::string>{} : std::vector<std::string>{name};
    return run(what);
  }
  std::string read(const std::string& name) const {
    std::ifstream stream{options.folder + "/" + name};
    return {std::istreambuf_iterator<char>{stream}, {}};
  }
  unsigned mode(const std::string& name) const {
    struct stat found {};
    REQUIRE(::stat((options.folder + "/" + name).c_str(), &found) == 0);
    return found.st_mode & 0777;
  }
  runtime::CertificateInfo node(const std::string& name) const {
    const auto info = CertificateFolder{options.folder}.node(name);
    REQUIRE(info);
    return *info;
  }
};

}  // namespace

TEST_CASE("an authority is made, and its key is for its owner only") {
  Certs certs;
  REQUIRE(certs.run("init") == exit_done);
  CHECK(contains(certs.err, "Next: troupe certs node NAME --dir"));
  CHECK(certs.mode("authority.key") == 0600);
  CHECK(certs.mode("authority.pem") == 0644);
  CHECK(contains(certs.read("authority.key"), "PRIVATE KEY"));
  CHECK_FALSE(contains(certs.read("authority.pem"), "PRIVATE KEY"));
  CHECK_FALSE(contains(certs.err, "-----"));
  const CertificateFolder folder{certs.options.folder};
  REQUIRE(folder.revoked());
  CHECK(folder.revoked()->revoked.empty());
}

TEST_CASE("a node gets a key and a certificate with its identity and names") {
  Certs certs;
  REQUIRE(certs.run("init") == exit_done);
  certs.options.dns = {"n1.example"};
  certs.options.ips = {"10.0.0.1"};
  REQUIRE(certs.run("node", "n1") == exit_done);
  CHECK(certs.mode("nodes/n1.key") == 0600);
  const auto info = certs.node("n1");
  CHECK(info.identity == "spiffe://shop/node/n1");
  CHECK(info.dns == std::vector<std::string>{"n1.example"});
  CHECK(info.ips == std::vector<std::string>{"10.0.0.1"});
  CHECK(info.validity.from == certs.now - 5min);
  CHECK(info.validity.until == certs.now + std::chrono::days{90});
}

TEST_CASE("no key is overwritten unless that is asked for") {
  Certs certs;
  REQUIRE(certs.run("init") == exit_done);
  REQUIRE(certs.run("node", "n1") == exit_done);
  const auto authority = certs.read("authority.key");
  const auto key = certs.read("nodes/n1.key");
  CHECK(certs.run("init") == exit_failed);
  CHECK(contains(certs.err, "authority.key holds a key already"));
  CHECK(certs.run("node", "n1") == exit_failed);
  CHECK(contains(certs.err, "renew n1"));
  CHECK(certs.read("authority.key") == authority);
  CHECK(certs.read("nodes/n1.key") == key);
  certs.options.force = true;
  CHECK(certs.run("node", "n1") == exit_done);
  CHECK(certs.read("nodes/n1.key") != key);
  CHECK(certs.run("init") == exit_done);
  CHECK(certs.read("authority.key") != authority);
}

TEST_CASE("renewing keeps key and names and makes a later certificate") {
  Certs certs;
  REQUIRE(certs.run("init") == exit_done);
  certs.options.dns = {"n1.example"};
  REQUIRE(certs.run("node", "n1") == exit_done);
  certs.options.dns.clear();
  REQUIRE(certs.run("node", "n2") == exit_done);
  const auto key = certs.read("nodes/n1.key");
  const auto before = certs.node("n1");
  certs.now += std::chrono::days{60};
  REQUIRE(certs.run("renew", "") == exit_done);
  const auto after = certs.node("n1");
  CHECK(certs.read("nodes/n1.key") == key);
  CHECK(after.dns == before.dns);
  CHECK(after.serial != before.serial);
  CHECK(after.validity.until == certs.now + std::chrono::days{90});
  CHECK(certs.node("n2").validity.until == certs.now + std::chrono::days{90});
  CHECK(certs.run("renew", "n3") == exit_failed);
  CHECK(contains(certs.err, "troupe certs node n3"));
}

TEST_CASE("no certificate outlives its authority") {
  Certs certs;
  certs.options.authority_days = 30;
  REQUIRE(certs.run("init") == exit_done);
  REQUIRE(certs.run("node", "n1") == exit_done);
  CHECK(certs.node("n1").validity.until == certs.now + std::chrono::days{30});
  certs.now += std::chrono::days{31};
  CHECK(certs.run("renew", "n1") == exit_failed);
  CHECK(contains(certs.err, "the authority itself has expired"));
}

TEST_CASE("revoking adds to the list, by name or by number, and is done once") {
  Certs certs;
  REQUIRE(certs.run("init") == exit_done);
  REQUIRE(certs.run("node", "n1") == exit_done);
  const auto serial = certs.node("n1").serial;
  REQUIRE(certs.run("revoke", "n1") == exit_done);
  CHECK(contains(certs.err, "revoked.pem"));
  const CertificateFolder folder{certs.options.folder};
  REQUIRE(folder.revoked());
  CHECK(folder.revoked()->number == 2);
  REQUIRE(folder.revoked()->revoked.size() == 1);
  CHECK(folder.revoked()->revoked.front().serial == serial);
  REQUIRE(certs.run("revoke", "n1") == exit_done);
  CHECK(contains(certs.err, "was revoked before"));
  CHECK(folder.revoked()->number == 2);

  CHECK(certs.run("renew", "n1") == exit_failed);
  CHECK(contains(certs.err, "is revoked and is not renewed"));
  certs.options.force = true;
  REQUIRE(certs.run("node", "n1") == exit_done);
  CHECK(folder.revoked()->revoked.size() == 1);

  certs.options.serial = "abcdef12";
  REQUIRE(certs.run("revoke", "") == exit_done);
  CHECK(folder.revoked()->revoked.size() == 2);
  certs.options.serial = "no number";
  CHECK(certs.run("revoke", "") == exit_failed);
}

TEST_CASE("show tells how long each certificate holds") {
  Certs certs;
  REQUIRE(certs.run("init") == exit_done);
  REQUIRE(certs.run("node", "n1") == exit_done);
  certs.options.days = 10;
  REQUIRE(certs.run("node", "n2") == exit_done);
  REQUIRE(certs.run("node", "n3") == exit_done);
  REQUIRE(certs.run("revoke", "n3") == exit_done);
  certs.now += std::chrono::days{11};
  REQUIRE(certs.run("show") == exit_done);
  CHECK(contains(certs.out, "NAME       SERIAL"));
  CHECK(contains(certs.out, "2026-12-06          0  expired"));
  CHECK(contains(certs.out, "2027-02-24         79  valid"));
  CHECK(contains(certs.out, "revoked"));
  CHECK_FALSE(contains(certs.out, "PRIVATE"));

  certs.options.json = true;
  REQUIRE(certs.run("show") == exit_done);
  CHECK(contains(certs.out, "\"cluster\":\"shop\""));
  CHECK(contains(certs.out, "\"name\":\"n1\",\"serial\":\"" + certs.node("n1").serial + "\""));
  CHECK(contains(certs.out,
                 "\"notAfter\":\"2027-02-24T12:00:00Z\",\"daysLeft\":79,\"state\":"
                 "\"valid\",\"revoked\":false"));
  CHECK(contains(certs.out, "\"state\":\"revoked\",\"revoked\":true"));
}

TEST_CASE("what is missing is named, with what to do") {
  Certs certs;
  CHECK(certs.run("node", "n1") == exit_failed);
  CHECK(contains(certs.err, "authority.pem"));
  CHECK(contains(certs.err, "troupe certs init"));
  CHECK(certs.run("show") == exit_failed);
  certs.options.cluster = "Not A Name";
  CHECK(certs.run("init") == exit_failed);
  CHECK(contains(certs.err, "'Not A Name' is no name"));
  certs.options.cluster = "shop";
  REQUIRE(certs.run("init") == exit_done);
  CHECK(certs.run("node", "../n1") == exit_failed);
  CHECK(contains(certs.err, "'../n1' is no name"));
  CHECK(certs.run("revoke", "n9") == exit_failed);
  CHECK(contains(certs.err, "n9.pem"));
  std::filesystem::remove(certs.options.folder + "/authority.key");
  CHECK(certs.run("node", "n1") == exit_failed);
  CHECK(contains(certs.err, "certificates are made where the authority's key is"));
}

TEST_CASE("the words of certs are checked like all others") {
  const Command command;
  CHECK(command.run({"certs"}).status == exit_usage);
  CHECK(command.run({"certs", "init"}).status == exit_usage);
  CHECK(command.run({"certs", "revoke"}).status == exit_usage);
  CHECK(command.run({"certs", "node", "n1", "--days", "0"}).status == exit_usage);
  const auto wrong = command.run({"certs", "show", "--jsn"});
  CHECK(wrong.status == exit_usage);
  CHECK(contains(wrong.err, "--json"));
  CHECK(contains(wrong.err, "troupe certs show --help"));
  const auto help = command.run({"certs", "node", "--help"});
  CHECK(help.status == exit_done);
  CHECK(contains(help.out, "troupe certs node n1"));

  const TemporaryFolder folder;
  const auto dir = folder.path() + "/c";
  CHECK(command.run({"certs", "init", "--cluster", "shop", "--dir", dir}).status == exit_done);
  CHECK(command.run({"certs", "node", "n1", "--dir", dir}).status == exit_done);
  const auto shown = command.run({"certs", "show", "--dir", dir});
  CHECK(shown.status == exit_done);
  CHECK(contains(shown.out, "n1"));
}

}  // namespace troupe::cluster
