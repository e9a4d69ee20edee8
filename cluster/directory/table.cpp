#include "cluster/directory/table.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "config/address.hpp"
#include "config/names.hpp"

namespace troupe::cluster {
namespace {

using ShardKey = std::pair<std::string_view, std::uint32_t>;

std::string_view key_of(const DirectoryNode& node) {
  return node.name();
}
std::string_view key_of(const DirectoryService& service) {
  return service.service();
}
ShardKey key_of(const DirectoryShard& shard) {
  return {shard.service(), shard.shard()};
}
std::string_view key_of(const DirectoryFormat& format) {
  return format.name();
}
std::string_view key_of(const DirectoryPolicies& policies) {
  return policies.of();
}

template <class List, class Key>
auto place_in(List& list, const Key& key) {
  return std::lower_bound(list.begin(), list.end(), key,
                          [](const auto& entry, const Key& than) { return key_of(entry) < than; });
}

template <class List, class Key>
auto find_in(const List& list, const Key& key) {
  const auto place = place_in(list, key);
  return place != list.end() && key_of(*place) == key ? &*place : nullptr;
}

template <class Entry>
void put_into(google::protobuf::RepeatedPtrField<Entry>& list, Entry entry) {
  const auto place = place_in(list, key_of(entry));
  if (place != list.end() && key_of(*place) == key_of(entry)) {
    *place = std::move(entry);
    return;
  }
  int at = static_cast<int>(place - list.begin());
  *list.Add() = std::move(entry);
  for (int i = list.size() - 1; i > at; --i) list.SwapElements(i, i - 1);
}

template <class Entry>
void add_newer(const google::protobuf::RepeatedPtrField<Entry>& from, std::uint64_t since,
               google::protobuf::RepeatedPtrField<Entry>& to) {
  for (const Entry& entry : from)
    if (entry.version() > since) *to.Add() = entry;
}

template <class List>
bool equal_texts(const List& one, const List& other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

}  // namespace

const DirectoryNode* find_node(const DirectoryTable& table, std::string_view name) {
  return find_in(table.nodes(), name);
}

const DirectoryService* find_service(const DirectoryTable& table, std::string_view service) {
  return find_in(table.services(), service);
}

const DirectoryShard* find_shard(const DirectoryTable& table, std::string_view service,
                                 std::uint32_t shard) {
  return find_in(table.shards(), ShardKey{service, shard});
}

const DirectoryPolicies* find_policies(const DirectoryTable& table, std::string_view of) {
  return find_in(table.policies(), of);
}

void put(DirectoryTable& table, DirectoryNode node) {
  put_into(*table.mutable_nodes(), std::move(node));
}

void put(DirectoryTable& table, DirectoryService service) {
  put_into(*table.mutable_services(), std::move(service));
}

void put(DirectoryTable& table, DirectoryShard shard) {
  put_into(*table.mutable_shards(), std::move(shard));
}

void put(DirectoryTable& table, DirectoryFormat format) {
  put_into(*table.mutable_formats(), std::move(format));
}

void put(DirectoryTable& table, DirectoryPolicies policies) {
  put_into(*table.mutable_policies(), std::move(policies));
}

void add_service(DirectoryTable& to, const DirectoryTable& from, const DirectoryService& service) {
  *to.add_services() = service;
  for (const DirectoryShard& shard : from.shards()) {
    if (shard.service() != service.service()) continue;
    *to.add_shards() = shard;
    to.mutable_shards()->rbegin()->set_founding(true);
  }
}

void renew(DirectoryTable& table, std::uint64_t version) {
  table.set_version(version);
  table.set_renewed(version);
  table.set_control_version(version);
  const auto renew_all = [version](auto& entries) {
    for (auto& entry : entries) entry.set_version(version);
  };
  renew_all(*table.mutable_nodes());
  renew_all(*table.mutable_services());
  renew_all(*table.mutable_shards());
  renew_all(*table.mutable_formats());
  renew_all(*table.mutable_policies());
}

void set_control(DirectoryTable& table, const std::vector<std::string>& nodes,
                 std::uint64_t version) {
  table.set_control_version(version);
  for (DirectoryNode& node : *table.mutable_nodes()) {
    const bool keeps = std::ranges::find(nodes, node.name()) != nodes.end();
    if (keeps == node.control()) continue;
    node.set_control(keeps);
    node.set_version(version);
  }
}

DirectoryTable difference(const DirectoryTable& table, std::uint64_t since) {
  if (since < table.renewed() || since > table.version()) return table;
  DirectoryTable newer;
  newer.set_cluster_id(table.cluster_id());
  newer.set_version(table.version());
  newer.set_control_version(table.control_version());
  add_newer(table.nodes(), since, *newer.mutable_nodes());
  add_newer(table.services(), since, *newer.mutable_services());
  add_newer(table.shards(), since, *newer.mutable_shards());
  add_newer(table.formats(), since, *newer.mutable_formats());
  add_newer(table.policies(), since, *newer.mutable_policies());
  return newer;
}

bool merge(DirectoryTable& copy, const DirectoryTable& newer) {
  if (newer.version() <= copy.version()) return false;
  if (!copy.cluster_id().empty() && newer.cluster_id() != copy.cluster_id()) return false;
  if (newer.renewed() > copy.renewed()) {
    copy = newer;
    return true;
  }
  copy.set_cluster_id(newer.cluster_id());
  copy.set_version(newer.version());
  copy.set_control_version(newer.control_version());
  for (const DirectoryNode& node : newer.nodes()) put(copy, node);
  for (const DirectoryService& service : newer.services()) put(copy, service);
  for (const DirectoryShard& shard : newer.shards()) put(copy, shard);
  for (const DirectoryFormat& format : newer.formats()) put(copy, format);
  for (const DirectoryPolicies& policies : newer.policies()) put(copy, policies);
  return true;
}

bool same_description(const DirectoryNode& entry, const DirectoryNode& said) {
  const auto same_label = [](const DirectoryLabel& one, const DirectoryLabel& other) {
    return one.name() == other.name() && one.value() == other.value();
  };
  return entry.mesh() == said.mesh() && entry.admin() == said.admin() &&
         equal_texts(entry.services(), said.services()) &&
         equal_texts(entry.formats(), said.formats()) &&
         std::equal(entry.labels().begin(), entry.labels().end(), said.labels().begin(),
                    said.labels().end(), same_label);
}

Result<void> may_be_admitted(const DirectoryNode& node) {
  const auto unsuitable = [](const std::string& why) {
    return invalid_argument("NODE_UNSUITABLE", "the node cannot be admitted: " + why);
  };
  if (!config::is_name(node.name()))
    return unsuitable(config::in_quotes(node.name()) +
                      " is no name of a node: lower case letters, digits and inner hyphens, 63 at "
                      "most");
  const auto mesh = config::parse_address(node.mesh());
  if (!mesh) return unsuitable("its mesh address: " + mesh.error().message);
  if (mesh->wildcard() || mesh->port == 0)
    return unsuitable("other nodes cannot reach it at " + node.mesh() +
                      ": its mesh address names one host and one port");
  if (node.admin().empty()) return {};
  const auto admin = config::parse_address(node.admin());
  if (!admin) return unsuitable("its admin address: " + admin.error().message);
  return {};
}

std::vector<std::string> control_nodes(const DirectoryTable& table) {
  std::vector<std::string> names;
  for (const DirectoryNode& node : table.nodes())
    if (node.control()) names.push_back(node.name());
  return names;
}

bool is_hosted(const DirectoryTable& table, const DirectoryTable& wanted,
               std::string_view service) {
  for (const DirectoryShard& shard : wanted.shards()) {
    if (shard.service() != service) continue;
    for (const std::string& name : shard.nodes()) {
      const DirectoryNode* node = find_node(table, name);
      if (!node || node->state() == DirectoryNode::REMOVED ||
          std::ranges::find(node->services(), service) == node->services().end())
        return false;
    }
  }
  return true;
}

bool has_places(const DirectoryTable& table, std::string_view node) {
  return std::ranges::any_of(table.shards(), [&](const DirectoryShard& shard) {
    return std::ranges::find(shard.nodes(), node) != shard.nodes().end();
  });
}

void avoid(DirectoryShard& shard, const std::string& node) {
  constexpr int remembered_max = 5;
  auto& avoided = *shard.mutable_avoided();
  const auto gone = std::remove_if(avoided.begin(), avoided.end(), [&](const auto& one) {
    return one.node() == node ||
           std::ranges::find(shard.nodes(), one.node()) != shard.nodes().end();
  });
  avoided.erase(gone, avoided.end());
  if (node.empty()) return;
  auto& one = *avoided.Add();
  one.set_node(node);
  one.set_since_ms(shard.since_ms());
  if (avoided.size() > remembered_max) avoided.DeleteSubrange(0, 1);
}

}  // namespace troupe::cluster
