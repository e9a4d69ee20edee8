#include "runtime/security/identity.hpp"

#include <algorithm>

namespace troupe::runtime {
namespace {

constexpr std::string_view scheme = "spiffe://";
constexpr std::string_view node_path = "/node/";

bool label(std::string_view text) {
  return !text.empty() && text.size() <= 63 && text.front() != '-' && text.back() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

// Identities of strangers are quoted in messages: bounded, and without what drives a terminal.
std::string quoted(std::string_view text) {
  std::string result{text.substr(0, 256)};
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return "'" + result + (text.size() > 256 ? "...'" : "'");
}

Error malformed(std::string_view what, std::string_view text, std::string_view why) {
  return invalid_argument("IDENTITY_MALFORMED",
                          std::string{what} + " " + quoted(text) + " " + std::string{why});
}

constexpr std::string_view label_rule =
    "is no name: it takes 1 to 63 lower-case letters, digits and '-', which neither begins nor "
    "ends it";

}  // namespace

std::string NodeIdentity::uri() const {
  return std::string{scheme} + cluster + std::string{node_path} + node;
}

Result<void> NodeIdentity::check() const {
  if (!label(cluster)) return malformed("the cluster", cluster, label_rule);
  if (!label(node)) return malformed("the node", node, label_rule);
  return {};
}

Result<NodeIdentity> NodeIdentity::parse(std::string_view uri) {
  constexpr std::string_view rule = "is not of the form spiffe://CLUSTER/node/NAME";
  if (!uri.starts_with(scheme)) return malformed("the identity", uri, rule);
  const auto rest = uri.substr(scheme.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos || !rest.substr(slash).starts_with(node_path))
    return malformed("the identity", uri, rule);
  NodeIdentity identity{std::string{rest.substr(0, slash)},
                        std::string{rest.substr(slash + node_path.size())}};
  if (!identity.check()) return malformed("the identity", uri, rule);
  return identity;
}

}  // namespace troupe::runtime
