#include "cluster/directory/audit.hpp"

#include <string>

#include "cluster/directory/table.hpp"

namespace troupe::cluster {
namespace {

namespace v1 = directory::v1;

const v1::Why& why_of(const v1::DirectoryEvent& event) {
  switch (event.event_case()) {
    case v1::DirectoryEvent::kFounded:
      return event.founded().why();
    case v1::DirectoryEvent::kNodeSet:
      return event.node_set().why();
    case v1::DirectoryEvent::kPlacesSet:
      return event.places_set().why();
    case v1::DirectoryEvent::kFactorSet:
      return event.factor_set().why();
    case v1::DirectoryEvent::kFormatSwitchedOn:
      return event.format_switched_on().why();
    case v1::DirectoryEvent::kSplitOrdered:
      return event.split_ordered().why();
    case v1::DirectoryEvent::kSplitEnded:
      return event.split_ended().why();
    case v1::DirectoryEvent::kControlSet:
      return event.control_set().why();
    case v1::DirectoryEvent::kTableRenewed:
      return event.table_renewed().why();
    case v1::DirectoryEvent::kNoted:
      return event.noted().why();
    case v1::DirectoryEvent::kPoliciesSet:
      return event.policies_set().why();
    case v1::DirectoryEvent::EVENT_NOT_SET:
      break;
  }
  return v1::Why::default_instance();
}

std::string listed_nodes(const google::protobuf::RepeatedPtrField<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string listed_policies(const DirectoryPolicies& policies) {
  std::string text;
  for (const auto& policy : policies.policies())
    text += (text.empty() ? "" : ", ") + policy.key() + "=" + policy.value();
  return text.empty() ? "those of the manifest" : text;
}

// What is so afterwards.
std::string outcome_of(const v1::DirectoryEvent& event) {
  switch (event.event_case()) {
    case v1::DirectoryEvent::kFounded:
      return "the table has " + std::to_string(event.founded().table().nodes_size()) +
             " more nodes and " + std::to_string(event.founded().table().services_size()) +
             " more services";
    case v1::DirectoryEvent::kNodeSet:
      return "node " + event.node_set().node().name() + " is " + state_of(event.node_set().node());
    case v1::DirectoryEvent::kPlacesSet:
      return event.places_set().shard().service() + "/" +
             std::to_string(event.places_set().shard().shard()) + " is to be on " +
             listed_nodes(event.places_set().shard().nodes());
    case v1::DirectoryEvent::kFactorSet:
      return event.factor_set().service().service() + " has " +
             std::to_string(event.factor_set().service().factor()) + " replicas of each shard";
    case v1::DirectoryEvent::kFormatSwitchedOn:
      return "format " + event.format_switched_on().format().name() + " is switched on";
    case v1::DirectoryEvent::kSplitOrdered:
      return event.split_ordered().shard().service() + "/" +
             std::to_string(event.split_ordered().shard().shard()) + " is to be split";
    case v1::DirectoryEvent::kSplitEnded:
      return "a shard of " + event.split_ended().service().service() + " is split";
    case v1::DirectoryEvent::kControlSet:
      return "the directory is kept by " + listed_nodes(event.control_set().nodes());
    case v1::DirectoryEvent::kTableRenewed:
      return "the table goes on above version " + std::to_string(event.table_renewed().version());
    case v1::DirectoryEvent::kPoliciesSet:
      return "policies of " + event.policies_set().policies().of() + " are " +
             listed_policies(event.policies_set().policies());
    default:
      return "something that this version does not know";
  }
}

}  // namespace

bool is_by_operator(const v1::DirectoryEvent& event) {
  return why_of(event).who() == "operator";
}

AuditView audit_view(const v1::AuditPage& page) {
  AuditView view;
  view.set_more(page.more());
  for (const auto& item : page.items()) {
    const v1::Why& why = why_of(item.event());
    AuditRecord& record = *view.add_records();
    record.set_number(item.number());
    record.set_time_ms(item.time_ms());
    record.set_who(why.who());
    record.set_by(why.by());
    record.set_at(why.at());
    record.set_what(why.what().empty() ? outcome_of(item.event()) : why.what());
    record.set_why(why.text());
  }
  return view;
}

}  // namespace troupe::cluster
