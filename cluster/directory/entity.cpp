// What may become of the directory's table. The handlers check what must be true in every table;
// whether a change is wise is its author's business.
#include <algorithm>
#include <set>
#include <utility>

#include "cluster/directory/audit.hpp"
#include "cluster/directory/formats.hpp"
#include "cluster/directory/policies.hpp"
#include "cluster/directory/refusals.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/directory/splits.hpp"
#include "cluster/directory/table.hpp"

namespace troupe::cluster {
namespace {

namespace v1 = directory::v1;

constexpr int places_max = 5;  // voters of a group
constexpr std::uint64_t audit_records_max = 10'000;

std::int64_t in_ms(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

class DirectoryEntity final : public v1::DirectoryEntity {
  Result<v1::Changed> Found(const v1::FoundRequest& request, Effects& effects) const override {
    const DirectoryTable& wanted = request.table();
    if (wanted.cluster_id().empty())
      return invalid_argument("DIRECTORY_FOREIGN", "the table to begin with names no cluster");
    if (filled() && wanted.cluster_id() != state().cluster_id()) return foreign(state(), wanted);
    v1::Founded event;
    *event.mutable_why() = request.why();
    event.mutable_table()->set_cluster_id(wanted.cluster_id());
    if (!filled()) {
      *event.mutable_table()->mutable_nodes() = wanted.nodes();
      *event.mutable_table()->mutable_formats() = wanted.formats();
    }
    for (DirectoryNode& node : *event.mutable_table()->mutable_nodes())
      node.set_since_ms(in_ms(effects.now()));
    for (const DirectoryService& service : wanted.services())
      if (!find_service(state(), service.service()) &&
          is_hosted(filled() ? state() : wanted, wanted, service.service()))
        add_service(*event.mutable_table(), wanted, service);
    if (filled() && event.table().services().empty()) return changed();
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> Admit(const v1::AdmitRequest& request, Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    DirectoryNode node = request.node();
    TROUPE_CHECK(may_be_admitted(node));
    TROUPE_CHECK(can_read(state(), node.formats(), node.name()));
    const DirectoryNode* known = find_node(state(), node.name());
    if (known && known->state() == DirectoryNode::JOINING && known->mesh() == node.mesh())
      return changed();  // asked for once more
    if (known && known->state() != DirectoryNode::REMOVED)
      return already_exists("NODE_NAME_TAKEN", "the cluster has a node " + node.name() + ", at " +
                                                   known->mesh() + ", which is " +
                                                   state_of(*known) + "; choose another name");
    for (const DirectoryNode& other : state().nodes())
      if (other.state() != DirectoryNode::REMOVED && other.mesh() == node.mesh())
        return already_exists("NODE_NAME_TAKEN", "node " + other.name() + " of the cluster is at " +
                                                     node.mesh() + " already");
    node.set_state(DirectoryNode::JOINING);
    node.set_control(false);
    node.set_incarnation(0);
    node.set_draining(false);
    node.set_cordoned(false);
    return set(std::move(node), request.why(), effects);
  }

  Result<v1::Changed> Welcome(const v1::WelcomeRequest& request, Effects& effects) const override {
    TROUPE_TRY(known, node_to_change(request.node().name(), request.based_on()));
    TROUPE_CHECK(can_read(state(), request.node().formats(), request.node().name()));
    if (known.state() == DirectoryNode::UP && same_description(known, request.node()))
      return changed();
    DirectoryNode node = request.node();
    node.set_state(DirectoryNode::UP);
    node.set_control(known.control());
    node.set_draining(known.draining());
    node.set_cordoned(known.cordoned());
    node.set_since_ms(known.since_ms());
    return set(std::move(node), request.why(), effects);
  }

  Result<v1::Changed> SetNode(const v1::SetNodeRequest& request, Effects& effects) const override {
    TROUPE_TRY(known, node_to_change(request.node(), request.based_on()));
    DirectoryNode node = known;
    if (request.has_state()) node.set_state(request.state());
    if (request.has_draining()) node.set_draining(request.draining());
    if (request.has_cordoned()) node.set_cordoned(request.cordoned());
    if (node.state() == DirectoryNode::REMOVED) {
      if (known.control() || has_places(state(), known.name()) ||
          (known.state() == DirectoryNode::UP && !known.draining()))
        return still_needed(state(), known);
      node.set_draining(false);
    }
    if (node.state() == known.state() && node.draining() == known.draining() &&
        node.cordoned() == known.cordoned())
      return changed();
    return set(std::move(node), request.why(), effects);
  }

  Result<v1::Changed> SetPlaces(const v1::SetPlacesRequest& request,
                                Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    const DirectoryShard* known = find_shard(state(), request.service(), request.shard());
    const std::string name = request.service() + "/" + std::to_string(request.shard());
    if (!known) return shard_unknown("shard " + name);
    if (request.based_on() != 0 && request.based_on() != known->version())
      return outdated("the places of " + name, known->version(), request.based_on());
    TROUPE_CHECK(suit(request));
    if (std::ranges::equal(known->nodes(), request.nodes())) return changed();
    v1::PlacesSet event;
    *event.mutable_why() = request.why();
    DirectoryShard& shard = *event.mutable_shard();
    shard = *known;
    *shard.mutable_nodes() = request.nodes();
    shard.set_since_ms(in_ms(effects.now()));
    shard.set_founding(false);
    avoid(shard, request.avoid());
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> SetFactor(const v1::SetFactorRequest& request,
                                Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    const DirectoryService* known = find_service(state(), request.service());
    if (!known) return shard_unknown("service " + request.service());
    if (request.based_on() != 0 && request.based_on() != known->version())
      return outdated(request.service(), known->version(), request.based_on());
    if (request.factor() % 2 == 0 || request.factor() > places_max)
      return invalid_argument("FACTOR_UNSUITABLE", std::to_string(request.factor()) +
                                                       " replicas: write 1, 3 or 5; an even "
                                                       "number survives no more failures");
    if (request.factor() == known->factor()) return changed();
    v1::FactorSet event;
    *event.mutable_why() = request.why();
    *event.mutable_service() = *known;
    event.mutable_service()->set_factor(request.factor());
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> Split(const v1::SplitRequest& request, Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    TROUPE_TRY(shard, with_split(state(), request));
    if (!shard) return changed();
    v1::SplitOrdered event;
    *event.mutable_why() = request.why();
    *event.mutable_shard() = *std::move(shard);
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> EndSplit(const v1::EndSplitRequest& request,
                               Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    TROUPE_TRY(event, split_ended(state(), request));
    if (!event) return changed();
    *event->mutable_why() = request.why();
    event->mutable_shards(1)->set_since_ms(in_ms(effects.now()));
    effects.emit(*event);
    return changed();
  }

  Result<v1::Changed> SetControl(const v1::SetControlRequest& request,
                                 Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    if (request.based_on() != state().control_version())
      return outdated("which nodes keep the directory", state().control_version(),
                      request.based_on());
    const ControlChange& change = request.change();
    std::vector<std::string> nodes = control_nodes(state());
    if (!change.remove().empty() && std::erase(nodes, change.remove()) == 0)
      return control_unsuitable("node " + change.remove() + " does not keep the directory");
    if (!change.add().empty()) {
      TROUPE_TRY(node, node_to_change(change.add(), 0));
      if (node.control())
        return control_unsuitable("node " + node.name() + " keeps the directory already");
      nodes.push_back(node.name());
    }
    if (nodes.empty() || nodes.size() > places_max)
      return control_unsuitable("one to five nodes keep the directory, not " +
                                std::to_string(nodes.size()));
    if (change.add().empty() && change.remove().empty()) return changed();
    v1::ControlSet event;
    *event.mutable_why() = request.why();
    for (const std::string& node : nodes) event.add_nodes(node);
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> Renew(const v1::RenewRequest& request, Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    if (request.above() <= state().version()) return changed();
    v1::TableRenewed event;
    *event.mutable_why() = request.why();
    event.set_version(request.above() + 1);
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> SwitchOn(const v1::SwitchOnRequest& request,
                               Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    if (format_is_on(state(), request.format())) return changed();
    if (request.format().empty())
      return invalid_argument("DIRECTORY_ORDER_EMPTY", "no format is named");
    if (const DirectoryNode* unable = who_cannot_read(state(), request.format()))
      return not_readable(*unable, request.format());
    v1::FormatSwitchedOn event;
    *event.mutable_why() = request.why();
    event.mutable_format()->set_name(request.format());
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> SetPolicies(const v1::SetPoliciesRequest& request,
                                  Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    TROUPE_TRY(policies, with_policies(state(), request));
    if (!policies) return changed();
    v1::PoliciesSet event;
    *event.mutable_why() = request.why();
    *event.mutable_policies() = *std::move(policies);
    effects.emit(event);
    return changed();
  }

  Result<v1::Changed> Note(const v1::NoteRequest& request, Effects& effects) const override {
    TROUPE_CHECK(is_filled());
    if (request.why().what().empty())
      return invalid_argument("DIRECTORY_ORDER_EMPTY", "a note says what was done");
    v1::Noted event;
    *event.mutable_why() = request.why();
    effects.emit(event);
    return changed();
  }

  Result<DirectoryTable> Read(const v1::ReadRequest& request) const override {
    return difference(state(), request.since());
  }

  Result<v1::AuditPage> Audit(const v1::AuditRequest& request) const override {
    constexpr std::uint32_t limit_default = 100;
    constexpr std::size_t page_max = 1000;
    v1::AuditPage page;
    const auto limit = static_cast<int>(
        std::min<std::uint32_t>(request.limit() == 0 ? limit_default : request.limit(), page_max));
    for (std::uint64_t before = request.before(); before != 1;) {
      const auto stored =
          history(HistoryOrder::newest_first, before == 0 ? 0 : before - 1, page_max);
      for (const auto& item : stored.items) {
        if (request.operators() && !is_by_operator(item.event)) continue;
        if (page.items_size() == limit) {
          page.set_more(true);
          return page;
        }
        auto& one = *page.add_items();
        one.set_number(item.sequence);
        one.set_time_ms(in_ms(item.time));
        *one.mutable_event() = item.event;
      }
      if (!stored.more || stored.items.empty()) break;
      before = stored.items.back().sequence;
    }
    return page;
  }

  std::uint64_t history_max() const override { return audit_records_max; }

  void apply(const v1::Founded& event) override {
    const std::uint64_t version = next();
    state().set_cluster_id(event.table().cluster_id());
    if (!event.table().nodes().empty()) state().set_control_version(version);
    for (const DirectoryNode& node : event.table().nodes()) put_as(version, node);
    for (const DirectoryService& service : event.table().services()) put_as(version, service);
    for (const DirectoryShard& shard : event.table().shards()) put_as(version, shard);
    for (const DirectoryFormat& format : event.table().formats()) put_as(version, format);
  }
  void apply(const v1::NodeSet& event) override { put_as(next(), event.node()); }
  void apply(const v1::PlacesSet& event) override { put_as(next(), event.shard()); }
  void apply(const v1::FactorSet& event) override { put_as(next(), event.service()); }
  void apply(const v1::TableRenewed& event) override { renew(state(), event.version()); }
  void apply(const v1::FormatSwitchedOn& event) override { put_as(next(), event.format()); }
  void apply(const v1::SplitOrdered& event) override {
    const std::uint64_t version = next();
    put_as(version, event.shard());
    put_as(version, format_of(split_format));
  }
  void apply(const v1::PoliciesSet& event) override {
    const std::uint64_t version = next();
    put_as(version, event.policies());
    if (!format_is_on(state(), policies_format)) put_as(version, format_of(policies_format));
  }
  void apply(const v1::SplitEnded& event) override {
    const std::uint64_t version = next();
    put_as(version, event.service());
    for (const DirectoryShard& shard : event.shards()) put_as(version, shard);
  }

  void apply(const v1::ControlSet& event) override {
    set_control(state(), {event.nodes().begin(), event.nodes().end()}, next());
  }
  void apply(const v1::Noted&) override {}

  static DirectoryFormat format_of(const char* name) {
    DirectoryFormat format;
    format.set_name(name);
    return format;
  }
  std::uint64_t next() {
    state().set_version(state().version() + 1);
    return state().version();
  }
  template <class Entry>
  void put_as(std::uint64_t version, Entry entry) {
    entry.set_version(version);
    put(state(), std::move(entry));
  }

  v1::Changed changed() const {
    v1::Changed changed;
    changed.set_version(state().version());
    return changed;
  }

  v1::Changed set(DirectoryNode node, const v1::Why& why, Effects& effects) const {
    const DirectoryNode* known = find_node(state(), node.name());
    if (!known || known->state() != node.state() || known->draining() != node.draining())
      node.set_since_ms(in_ms(effects.now()));
    v1::NodeSet event;
    *event.mutable_why() = why;
    *event.mutable_node() = std::move(node);
    effects.emit(event);
    return changed();
  }

  Result<void> suit(const v1::SetPlacesRequest& request) const {
    const auto unsuitable = [](const std::string& why) {
      return invalid_argument("PLACES_UNSUITABLE", why);
    };
    if (request.nodes().empty() || request.nodes_size() > places_max)
      return unsuitable("a shard has one to five replicas, not " +
                        std::to_string(request.nodes_size()));
    if (std::set<std::string>{request.nodes().begin(), request.nodes().end()}.size() !=
        static_cast<std::size_t>(request.nodes_size()))
      return unsuitable("a node is named twice");
    for (const std::string& name : request.nodes()) {
      const DirectoryNode* node = find_node(state(), name);
      if (!node || node->state() == DirectoryNode::REMOVED)
        return unsuitable("the cluster has no node " + name);
      if (std::ranges::find(node->services(), request.service()) == node->services().end())
        return unsuitable("node " + name + " does not host " + request.service());
    }
    return {};
  }

  bool filled() const { return state().version() > 0; }
  Result<void> is_filled() const {
    if (filled()) return {};
    return failed_precondition("DIRECTORY_EMPTY", "the directory has not been filled yet");
  }

  Result<DirectoryNode> node_to_change(const std::string& name, std::uint64_t based_on) const {
    TROUPE_CHECK(is_filled());
    const DirectoryNode* node = find_node(state(), name);
    if (!node || node->state() == DirectoryNode::REMOVED)
      return not_found("DIRECTORY_NODE_UNKNOWN",
                       "the cluster has no node " + name + (node ? " any more" : "") +
                           "; 'troupe directory' shows those that it has");
    if (based_on != 0 && based_on != node->version())
      return outdated("node " + name, node->version(), based_on);
    return *node;
  }
};

}  // namespace

const actors::Service& directory_service() {
  static const actors::Service service{&v1::DirectoryEntity::service_type(),
                                       [] { return std::make_unique<DirectoryEntity>(); }};
  return service;
}

}  // namespace troupe::cluster
