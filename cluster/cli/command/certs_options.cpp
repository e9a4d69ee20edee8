// The words of `troupe certs`.
#include <CLI/CLI.hpp>

#include "cluster/cli/command/certs.hpp"

namespace troupe::cluster {
namespace {

CLI::App* add_word(CLI::App& certs, CertsOptions& options, const std::string& name,
                   const std::string& description) {
  auto* command = certs.add_subcommand(name, description);
  command->add_option("--dir", options.folder, "The folder of the authority and its certificates")
      ->capture_default_str()
      ->type_name("DIR");
  return command;
}

void add_days(CLI::App& command, unsigned& days) {
  command.add_option("--days", days, "How long it is valid")
      ->capture_default_str()
      ->check(CLI::Range(1u, 36'500u).description(""))
      ->type_name("N");
}

}  // namespace

void add_certs(CLI::App& app, CertsOptions& options) {
  auto* certs = app.add_subcommand("certs", "Make, renew and revoke the certificates of nodes");
  certs->require_subcommand(1);
  certs->footer(
      "Examples:\n"
      "  troupe certs init --cluster shop\n"
      "  troupe certs node n1\n"
      "  troupe certs show\n");

  auto* init = add_word(*certs, options, "init", "Make the authority of a cluster");
  init->add_option("--cluster", options.cluster, "The cluster's name, as in its manifest")
      ->required()
      ->type_name("NAME");
  add_days(*init, options.authority_days);
  init->add_flag("--force", options.force, "Replace the authority that is there");
  init->footer("Examples:\n  troupe certs init --cluster shop --dir shop-certs\n");

  auto* node = add_word(*certs, options, "node", "Make the key and the certificate of a node");
  node->add_option("NAME", options.name, "The node's name in the manifest")
      ->required()
      ->type_name("");
  node->add_option("--dns", options.dns, "A DNS name of the node, for other programs")
      ->type_name("NAME");
  node->add_option("--ip", options.ips, "An IP address of the node, for other programs")
      ->type_name("ADDR");
  add_days(*node, options.days);
  node->add_flag("--force", options.force, "Replace the key that is there");
  node->footer(
      "Examples:\n"
      "  troupe certs node n1\n"
      "  troupe certs node n1 --dns n1.example.org --ip 10.0.0.1 --days 30\n");

  auto* renew = add_word(*certs, options, "renew", "Make new certificates for keys that are there");
  renew->add_option("NAME", options.names, "Nodes. Default: all in the folder")->type_name("");
  add_days(*renew, options.days);
  renew->footer("Examples:\n  troupe certs renew\n  troupe certs renew n1 n2 --days 30\n");

  auto* revoke = add_word(*certs, options, "revoke", "Take a certificate back");
  auto* name = revoke->add_option("NAME", options.name, "The node")->type_name("");
  auto* serial = revoke->add_option("--serial", options.serial, "A certificate by its number")
                     ->type_name("HEX");
  name->excludes(serial);
  revoke->callback([&options] {
    if (options.name.empty() && options.serial.empty())
      throw CLI::RequiredError{"NAME or --serial"};
  });
  revoke->footer("Examples:\n  troupe certs revoke n3\n  troupe certs revoke --serial 5A17C3\n");

  auto* show = add_word(*certs, options, "show", "Show certificates and how long they are valid");
  show->add_flag("--json", options.json, "Print JSON, for programs");
  show->footer(
      "Examples:\n"
      "  troupe certs show\n"
      "  troupe certs show --json | jq '.certificates[] | select(.daysLeft < 14).name'\n");
}

}  // namespace troupe::cluster
