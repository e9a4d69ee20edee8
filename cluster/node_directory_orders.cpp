// What operators order and ask of the directory, at whichever node: orders go to the directory's
// service like any command, questions to whoever keeps it.
#include <algorithm>
#include <utility>

#include "cluster/directory/audit.hpp"
#include "cluster/directory/service.hpp"
#include "cluster/node_directory.hpp"
#include "cluster/node_policies.hpp"

namespace troupe::cluster {
namespace {

namespace v1 = directory::v1;

// A change of one replica's place, based on what this node knows. PLACES_UNSUITABLE, SHARD_UNKNOWN.
Result<v1::SetPlacesRequest> moved(const DirectoryTable& table, const DirectoryOrder::Move& move) {
  const DirectoryShard* shard = find_shard(table, move.service(), move.shard());
  const std::string name = move.service() + "/" + std::to_string(move.shard());
  if (!shard)
    return not_found("SHARD_UNKNOWN", "the cluster has no shard " + name +
                                          "; 'troupe directory --shards' shows those that it has");
  v1::SetPlacesRequest request;
  request.set_service(move.service());
  request.set_shard(move.shard());
  request.set_based_on(shard->version());
  *request.mutable_nodes() = shard->nodes();
  const auto from = std::ranges::find(*request.mutable_nodes(), move.from());
  if (from == request.mutable_nodes()->end())
    return invalid_argument("PLACES_UNSUITABLE", name + " is not to have a replica on node " +
                                                     move.from() +
                                                     "; 'troupe directory --shards' shows where");
  if (std::ranges::find(shard->nodes(), move.to()) != shard->nodes().end())
    return invalid_argument("PLACES_UNSUITABLE", name + " has its replica on node " + move.to() +
                                                     " already; choose another node");
  const DirectoryNode* to = find_node(table, move.to());
  if (!to || to->state() != DirectoryNode::UP || to->draining() || to->cordoned())
    return failed_precondition("PLACES_UNSUITABLE", "node " + move.to() + " is " +
                                                        (to ? state_of(*to) : "unknown") +
                                                        "; nothing can move to it. 'troupe "
                                                        "directory' shows the nodes that are up");
  *from = move.to();
  return request;
}

}  // namespace

v1::Why NodeDirectory::said(const v1::Why& why, const std::string& what) {
  v1::Why whole = why;
  whole.set_what(what);
  return whole;
}

void NodeDirectory::carry_out(actors::Call<v1::Changed> call, const std::string& what,
                              const std::string& why,
                              std::function<void(Result<DirectoryOutcome>)> answer) {
  spec_.router->call<v1::Changed>(
      std::move(call), {.caller = "operator"},
      [this, what, why, answer = std::move(answer)](Result<v1::Changed> changed) {
        runtime::Logger& log = spec_.platform->log();
        if (!changed) {
          log.warn("directory.order_refused", what + ": " + changed.error().describe(),
                   {{"who", "operator"}, {"what", what}, {"why", why}});
          return answer(std::move(changed).error());
        }
        log.info(
            "directory.ordered", "an operator ordered: " + what,
            {{"who", "operator"}, {"what", what}, {"why", why}, {"version", changed->version()}});
        DirectoryOutcome outcome;
        outcome.set_version(changed->version());
        outcome.set_cluster_id(cluster_id_);
        answer(std::move(outcome));
      });
}

void NodeDirectory::audit(const DirectoryOrder::Audit& question,
                          std::function<void(Result<DirectoryOutcome>)> answer) {
  v1::AuditRequest request;
  request.set_before(question.before());
  request.set_limit(question.limit());
  request.set_operators(!question.everything());
  spec_.router->call<v1::AuditPage>(v1::DirectoryRef{std::string{directory_key}}.Audit(request),
                                    {.caller = "operator"},
                                    [answer = std::move(answer)](Result<v1::AuditPage> page) {
                                      if (!page) return answer(std::move(page).error());
                                      DirectoryOutcome outcome;
                                      *outcome.mutable_audit() = audit_view(*page);
                                      answer(std::move(outcome));
                                    });
}

// The table knows what is wished of the node; whoever keeps it knows what is true of it as well.
void NodeDirectory::remove(const std::string& name, const v1::Why& why,
                           std::function<void(Result<DirectoryOutcome>)> answer) {
  DirectoryQuestion question;
  question.set_left_on(name);
  cache_->ask_keeper(question, [this, name, why,
                                answer = std::move(answer)](Result<DirectoryAnswer> told) mutable {
    if (!told) return answer(std::move(told).error());
    if (told->left().members() + told->left().leaders() > 0)
      return answer(failed_precondition(
          "NODE_STILL_NEEDED", "node " + name + " has " + std::to_string(told->left().members()) +
                                   " replicas still; 'troupe drain " + name +
                                   "' moves them away and waits for it"));
    if (told->left().unknown() > 0) {
      Error later = unavailable(
          "PLACES_NOT_REPORTED",
          "of " + std::to_string(told->left().unknown()) +
              " shards nobody has said yet where their replicas are, since the node that keeps the "
              "directory began to; node " +
              name + " is removed when that is known: try again in a moment");
      later.retry_after = std::chrono::seconds{1};
      return answer(std::move(later));
    }
    v1::SetNodeRequest request;
    request.set_node(name);
    request.set_state(DirectoryNode::REMOVED);
    *request.mutable_why() = said(why, "remove " + name);
    carry_out(v1::DirectoryRef{std::string{directory_key}}.SetNode(request), "remove " + name,
              why.text(), std::move(answer));
  });
}

void NodeDirectory::split_is_over(const std::string& service, std::uint32_t parent,
                                  const wire::ShardSplit& split) {
  v1::EndSplitRequest request;
  request.set_service(service);
  request.set_shard(parent);
  request.set_new_shard(split.shard());
  request.set_at_bucket(split.first());
  for (const auto& founder : split.founders()) request.add_nodes(founder.node());
  request.mutable_why()->set_who(node_);
  request.mutable_why()->set_text("the new shard serves");
  spec_.router->call<v1::Changed>(
      v1::DirectoryRef{std::string{directory_key}}.EndSplit(request), {.caller = node_},
      [log = &spec_.platform->log(), service, parent,
       child = split.shard()](Result<v1::Changed> changed) {
        if (changed)
          log->info("directory.split_over", "the directory knows of a new shard",
                    {{"service", service}, {"shard", parent}, {"new", child}});
        else if (changed.error().code != Code::unavailable)
          log->warn("directory.refused", "a split's end: " + changed.error().describe(), {});
      });
}

// Whether it may be is told by whoever keeps the directory; nobody else changes it in between.
void NodeDirectory::change_control(const ControlChange& change, const v1::Why& why,
                                   std::function<void(Result<DirectoryOutcome>)> answer) {
  DirectoryQuestion question;
  *question.mutable_control() = change;
  cache_->ask_keeper(question, [this, change, why,
                                answer = std::move(answer)](Result<DirectoryAnswer> told) mutable {
    if (!told) return answer(std::move(told).error());
    const ControlReport& report = told->control();
    if (change.add().empty() && change.remove().empty()) {
      DirectoryOutcome outcome;
      *outcome.mutable_control() = report;
      return answer(std::move(outcome));
    }
    v1::SetControlRequest request;
    request.set_based_on(report.version());
    *request.mutable_change() = change;
    const std::string what =
        change.remove().empty() ? "node " + change.add() + " comes to keep the directory"
        : change.add().empty()
            ? "node " + change.remove() + " ceases to keep the directory"
            : "node " + change.add() + " keeps the directory instead of " + change.remove();
    *request.mutable_why() = said(why, what);
    carry_out(v1::DirectoryRef{std::string{directory_key}}.SetControl(request), what, why.text(),
              [report, answer = std::move(answer)](Result<DirectoryOutcome> outcome) {
                if (outcome) *outcome->mutable_control() = report;
                answer(std::move(outcome));
              });
  });
}

void NodeDirectory::set_policies(const DirectoryOrder::Policy& order, const v1::Why& why,
                                 std::function<void(Result<DirectoryOutcome>)> answer) {
  const auto known = table();
  if (order.set().empty() && order.unset().empty()) {
    auto report = spec_.policies->report(*known, order.of());
    if (!report) return answer(std::move(report).error());
    DirectoryOutcome outcome;
    *outcome.mutable_policies() = *std::move(report);
    return answer(std::move(outcome));
  }
  if (auto fits = spec_.policies->fits(*known, order); !fits)
    return answer(std::move(fits).error());
  v1::SetPoliciesRequest request;
  request.set_of(order.of());
  *request.mutable_set() = order.set();
  *request.mutable_unset() = order.unset();
  std::string what = "policy " + order.of() + ":";
  for (const auto& policy : order.set()) what += " " + policy.key() + "=" + policy.value();
  for (const std::string& key : order.unset()) what += " as the manifest says: " + key;
  *request.mutable_why() = said(why, what);
  carry_out(v1::DirectoryRef{std::string{directory_key}}.SetPolicies(request), what, why.text(),
            std::move(answer));
}

void NodeDirectory::order(const DirectoryOrder& order,
                          std::function<void(Result<DirectoryOutcome>)> answer) {
  const v1::DirectoryRef directory{std::string{directory_key}};
  v1::Why why;
  why.set_who("operator");
  why.set_text(order.why().empty() ? "ordered at node " + node_ : order.why());
  why.set_by(order.by());
  why.set_at(node_);
  const auto set_node = [&](const std::string& what, v1::SetNodeRequest request) {
    *request.mutable_why() = said(why, what);
    carry_out(directory.SetNode(request), what, why.text(), std::move(answer));
  };
  v1::SetNodeRequest node;
  switch (order.order_case()) {
    case DirectoryOrder::kDrain:
      node.set_node(order.drain().node());
      node.set_draining(!order.drain().cancel());
      return set_node((order.drain().cancel() ? "do not drain " : "drain ") + node.node(), node);
    case DirectoryOrder::kCordon:
      node.set_node(order.cordon().node());
      node.set_cordoned(!order.cordon().cancel());
      return set_node((order.cordon().cancel() ? "do not cordon " : "cordon ") + node.node(), node);
    case DirectoryOrder::kRemove:
      return remove(order.remove().node(), why, std::move(answer));
    case DirectoryOrder::kMove: {
      auto request = moved(*table(), order.move());
      if (!request) return answer(std::move(request).error());
      const std::string what = "move " + order.move().service() + "/" +
                               std::to_string(order.move().shard()) + " from " +
                               order.move().from() + " to " + order.move().to();
      *request->mutable_why() = said(why, what);
      return carry_out(directory.SetPlaces(*request), what, why.text(), std::move(answer));
    }
    case DirectoryOrder::kReplicate: {
      v1::SetFactorRequest request;
      request.set_service(order.replicate().service());
      request.set_factor(order.replicate().factor());
      const std::string what = "replicate " + order.replicate().service() + ", " +
                               std::to_string(order.replicate().factor()) +
                               " replicas of each shard";
      *request.mutable_why() = said(why, what);
      return carry_out(directory.SetFactor(request), what, why.text(), std::move(answer));
    }
    case DirectoryOrder::kSplit: {
      v1::SplitRequest request;
      request.set_service(order.split().service());
      request.set_shard(order.split().shard());
      request.set_at_bucket(order.split().at_bucket());
      const std::string what = "split " + request.service() + "/" + std::to_string(request.shard());
      *request.mutable_why() = said(why, what);
      return carry_out(directory.Split(request), what, why.text(), std::move(answer));
    }
    case DirectoryOrder::kAdmit: {
      if (order.admit().cluster() != cluster_)
        return answer(failed_precondition("DIRECTORY_FOREIGN", "the node is to join the cluster " +
                                                                   order.admit().cluster() +
                                                                   ", this is " + cluster_ +
                                                                   ": correct the manifest, or "
                                                                   "the address"));
      v1::AdmitRequest request;
      *request.mutable_node() = order.admit().node();
      const std::string what = "admit node " + request.node().name();
      *request.mutable_why() = said(why, what);
      return carry_out(directory.Admit(request), what, why.text(), std::move(answer));
    }
    case DirectoryOrder::kQuestion:
      return cache_->ask_keeper(order.question(),
                                [answer = std::move(answer)](Result<DirectoryAnswer> told) {
                                  if (!told) return answer(std::move(told).error());
                                  DirectoryOutcome outcome;
                                  *outcome.mutable_left() = told->left();
                                  *outcome.mutable_plan() = told->plan();
                                  *outcome.mutable_advice() = told->advice();
                                  *outcome.mutable_control() = told->control();
                                  *outcome.mutable_split() = told->split();
                                  answer(std::move(outcome));
                                });
    case DirectoryOrder::kControl:
      return change_control(order.control(), why, std::move(answer));
    case DirectoryOrder::kNote: {
      v1::NoteRequest request;
      *request.mutable_why() = said(why, order.note().what());
      return carry_out(directory.Note(request), "note: " + order.note().what(), why.text(),
                       std::move(answer));
    }
    case DirectoryOrder::kSwitchOn: {
      v1::SwitchOnRequest request;
      request.set_format(order.switch_on().format());
      const std::string what = "switch on format " + request.format();
      *request.mutable_why() = said(why, what);
      return carry_out(directory.SwitchOn(request), what, why.text(), std::move(answer));
    }
    case DirectoryOrder::kPolicy:
      return set_policies(order.policy(), why, std::move(answer));
    case DirectoryOrder::kAudit:
      return audit(order.audit(), std::move(answer));
    case DirectoryOrder::ORDER_NOT_SET:
      break;
  }
  answer(invalid_argument("DIRECTORY_ORDER_EMPTY", "the order says nothing that is to be done"));
}

}  // namespace troupe::cluster
