// `troupe certs`: the authority of a cluster, the certificates of its nodes and the list of those
// that are revoked, in a folder of PEM files:
//
//   authority.pem, authority.key   the authority; its key stays where certificates are made
//   revoked.pem                    the list, signed by the authority
//   nodes/NAME.pem, NAME.key       of each node
//
// A node needs authority.pem, revoked.pem and its own two files, and nothing else. Keys are
// readable for their owner only. Files are replaced as a whole; no key is overwritten unless that
// is asked for.
#pragma once

#include <string>
#include <vector>

#include "cluster/cli/command/io.hpp"
#include "runtime/time.hpp"

namespace CLI {
class App;
}

namespace troupe::cluster {

struct CertsOptions {
  std::string folder = "certs";
  std::string cluster;             // init
  std::string name;                // node, revoke
  std::vector<std::string> names;  // renew; empty: every node's
  std::string serial;              // revoke: instead of a name
  std::vector<std::string> dns;    // node
  std::vector<std::string> ips;    // node
  unsigned authority_days = 3650;
  unsigned days = 90;
  bool force = false;
  bool json = false;
};

void add_certs(CLI::App& app, CertsOptions& options);

// `what` is the sub-command's name: init, node, renew, revoke or show. Returns the exit status.
int run_certs(const CliIo& io, const std::string& what, const CertsOptions& options);
int run_certs(const CliIo& io, const std::string& what, const CertsOptions& options, WallTime now);
int show_certs(const CliIo& io, const CertsOptions& options, WallTime now);

}  // namespace troupe::cluster
