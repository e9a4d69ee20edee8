#include "cluster/cli/command/certs.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "cluster/cli/command/certificate_folder.hpp"
#include "cluster/cli/command/commands.hpp"
#include "cluster/cli/command/text_file.hpp"

namespace troupe::cluster {
namespace {

using runtime::KeyPair;
using runtime::Validity;

// Clocks of a cluster's machines differ a little.
constexpr auto backdated = std::chrono::minutes{5};

// The work of one sub-command, for which `io` and the time are given once.
class Certs {
 public:
  Certs(const CliIo& io, const CertsOptions& options, WallTime now)
      : io_(io), options_(options), now_(now), folder_(options.folder) {}

  int init() {
    if (const auto taken = taken_by_key(folder_.authority_key_file()); !taken.empty())
      return failed(taken +
                    "; --force replaces the authority, and every node needs a new "
                    "certificate then");
    const auto until = now_ + std::chrono::days{options_.authority_days};
    const auto made = runtime::make_authority(options_.cluster, {now_ - backdated, until});
    if (!made) return failed(made.error().message);
    auto wrong = folder_.make_folders();
    if (wrong.empty()) wrong = folder_.write_key(folder_.authority_key_file(), made->key);
    if (wrong.empty()) wrong = folder_.write_open(folder_.authority_file(), made->certificate);
    if (wrong.empty()) wrong = folder_.write_revoked(*made, {1, {}, {now_ - backdated, until}});
    if (!wrong.empty()) return failed(wrong);
    *io_.err << "The authority of the cluster " << options_.cluster << " is in " << options_.folder
             << ". Keep " << folder_.authority_key_file()
             << " away from the nodes: whoever has it can be any of them.\n"
             << "Next: troupe certs node NAME --dir " << options_.folder << "\n";
    return exit_done;
  }

  int node() {
    const auto key_file = folder_.node_key_file(options_.name);
    if (const auto wrong = check_name(options_.name); !wrong.empty()) return failed(wrong);
    if (const auto taken = taken_by_key(key_file); !taken.empty())
      return failed(taken + "; `troupe certs renew " + options_.name +
                    "` makes a certificate for this key, --force another key");
    const auto authority = folder_.authority(true);
    if (!authority) return failed(authority.error());
    return issue(*authority, options_.name, "", options_.dns, options_.ips);
  }

  int renew() {
    const auto authority = folder_.authority(true);
    if (!authority) return failed(authority.error());
    const auto list = folder_.revoked();
    if (!list) return failed(list.error());
    const auto names = options_.names.empty() ? folder_.nodes() : options_.names;
    if (names.empty()) return failed("no node in " + options_.folder + " has a certificate");
    int status = exit_done;
    for (const auto& name : names)
      if (renew_one(*authority, *list, name) != exit_done) status = exit_failed;
    return status;
  }

  int revoke() {
    const auto authority = folder_.authority(true);
    if (!authority) return failed(authority.error());
    auto list = folder_.revoked();
    if (!list) return failed(list.error());
    auto serial = options_.serial;
    std::transform(serial.begin(), serial.end(), serial.begin(),
                   [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
    if (!options_.name.empty()) {
      if (const auto wrong = check_name(options_.name); !wrong.empty()) return failed(wrong);
      const auto info = folder_.node(options_.name);
      if (!info) return failed(info.error() + "; --serial revokes a certificate without its file");
      serial = info->serial;
    }
    if (is_revoked(*list, serial)) {
      *io_.err << "The certificate " << serial << " was revoked before.\n";
      return exit_done;
    }
    const auto authority_info = folder_.authority_info();
    if (!authority_info) return failed(authority_info.error());
    list->revoked.push_back({serial, now_});
    ++list->number;
    list->validity = {now_ - backdated, authority_info->validity.until};
    if (const auto wrong = folder_.write_revoked(*authority, *list); !wrong.empty())
      return failed(wrong);
    *io_.err << "The certificate " << serial << " is revoked.\nNext: copy "
             << folder_.revoked_file()
             << " to every node. Each refuses it from then on; links that are open end when a node "
                "restarts.\n";
    return exit_done;
  }

 private:
  int failed(const std::string& what) {
    *io_.err << "troupe: " << harmless_lines(what) << "\n";
    return exit_failed;
  }

  std::string taken_by_key(const std::string& file) const {
    std::error_code ignored;
    if (options_.force || !std::filesystem::exists(file, ignored)) return "";
    return file + " holds a key already";
  }

  static std::string check_name(const std::string& name) {
    const auto checked = runtime::NodeIdentity{"cluster", name}.check();
    return checked ? "" : checked.error().message;
  }

  static bool is_revoked(const runtime::RevocationList& list, const std::string& serial) {
    return std::any_of(list.revoked.begin(), list.revoked.end(),
                       [&](const auto& one) { return one.serial == serial; });
  }

  int renew_one(const KeyPair& authority, const runtime::RevocationList& list,
                const std::string& name) {
    if (const auto wrong = check_name(name); !wrong.empty()) return failed(wrong);
    const auto info = folder_.node(name);
    if (!info)
      return failed(info.error() + "; `troupe certs node " + name + "` makes the first one");
    if (is_revoked(list, info->serial))
      return failed("the certificate of " + name +
                    " is revoked and is not renewed; `troupe certs node " + name +
                    " --force` makes another key");
    const auto key = read_text_file(folder_.node_key_file(name), "a key");
    if (!key) return failed(key.error());
    return issue(authority, name, *key, info->dns, info->ips);
  }

  // Makes and stores a certificate; `key` empty: with a new key.
  int issue(const KeyPair& authority, const std::string& name, const std::string& key,
            const std::vector<std::string>& dns, const std::vector<std::string>& ips) {
    const auto signer = folder_.authority_info();
    if (!signer) return failed(signer.error());
    if (signer->validity.until <= now_)
      return failed(
          folder_.authority_file() +
          ": the authority itself has expired; `troupe certs init --force` makes another");
    const auto until =
        std::min<WallTime>(now_ + std::chrono::days{options_.days}, signer->validity.until);
    const auto made = runtime::make_node_certificate(
        authority, {{signer->cluster, name}, {now_ - backdated, until}, dns, ips, key});
    if (!made) return failed(made.error().message);
    if (const auto wrong = folder_.make_folders(); !wrong.empty()) return failed(wrong);
    // The key first: a certificate without its key would be no use.
    if (key.empty())
      if (const auto wrong = folder_.write_key(folder_.node_key_file(name), made->key);
          !wrong.empty())
        return failed(wrong);
    if (const auto wrong = folder_.write_open(folder_.node_file(name), made->certificate);
        !wrong.empty())
      return failed(wrong);
    *io_.err << folder_.node_file(name) << ": spiffe://" << signer->cluster << "/node/" << name
             << ", valid for " << std::chrono::floor<std::chrono::days>(until - now_).count()
             << " days\n";
    return exit_done;
  }

  const CliIo& io_;
  const CertsOptions& options_;
  const WallTime now_;
  const CertificateFolder folder_;
};

}  // namespace

int run_certs(const CliIo& io, const std::string& what, const CertsOptions& options) {
  return run_certs(
      io, what, options,
      std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now()));
}

int run_certs(const CliIo& io, const std::string& what, const CertsOptions& options, WallTime now) {
  if (what == "show") return show_certs(io, options, now);
  Certs certs{io, options, now};
  if (what == "init") return certs.init();
  if (what == "node") return certs.node();
  if (what == "renew") return certs.renew();
  return certs.revoke();
}

}  // namespace troupe::cluster
