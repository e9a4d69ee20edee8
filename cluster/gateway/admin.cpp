#include "cluster/gateway/admin.hpp"

#include <array>
#include <string>
#include <utility>

#include "cluster/gateway/http/http_telemetry.hpp"
#include "cluster/gateway/http/problem.hpp"
#include "cluster/gateway/json.hpp"

namespace troupe::cluster {
namespace {

HttpResponse text(std::string body, std::string type = "text/plain; charset=utf-8") {
  HttpResponse response;
  response.content_type = std::move(type);
  response.body = std::move(body);
  return response;
}

// What the page shows changes from one moment to the next.
void send(const Respond& respond, HttpResponse response, std::string_view route) {
  response.headers.push_back({"Cache-Control", "no-store"});
  response.route = route;
  respond(std::move(response));
}

struct Pages {
  runtime::Platform& platform;
  AdminSource& source;

  using Page = void (Pages::*)(const Respond& respond, std::string_view route) const;

  void healthy(const Respond& respond, std::string_view route) const {
    send(respond, text("ok\n"), route);
  }

  void ready(const Respond& respond, std::string_view route) const {
    const auto ready = source.ready();
    send(respond, ready ? text("ready\n") : problem(503, ready.error()), route);
  }

  void metrics(const Respond& respond, std::string_view route) const {
    if (!source.serves_metrics())
      return send(respond,
                  problem(not_found("ROUTE_NOT_FOUND",
                                    "metrics are switched off: [metrics] enabled in the manifest")),
                  route);
    send(respond, text(platform.metrics().text(), "text/plain; version=0.0.4; charset=utf-8"),
         route);
  }

  template <class Message>
  static std::function<void(Result<Message>)> as_json(const Respond& respond,
                                                      std::string_view route) {
    return [respond, route](const Result<Message>& message) {
      if (!message) return send(respond, problem(message.error()), route);
      auto json = message_to_json(*message);
      send(respond, json ? text(std::move(*json), "application/json") : problem(json.error()),
           route);
    };
  }

  void status(const Respond& respond, std::string_view route) const {
    source.status(as_json<NodeStatus>(respond, route));
  }
  void tree(const Respond& respond, std::string_view route) const {
    source.tree(as_json<TreeNode>(respond, route));
  }
  void shards(const Respond& respond, std::string_view route) const {
    source.shards(as_json<ShardList>(respond, route));
  }

  void directory(const Respond& respond, std::string_view route) const {
    source.directory(as_json<DirectoryView>(respond, route));
  }
  template <NodeQuestion::What what>
  void cluster(const Respond& respond, std::string_view route) const {
    source.cluster(what, as_json<ClusterAnswer>(respond, route));
  }

  void recovery(const Respond& respond, std::string_view route) const {
    source.recovery(as_json<RecoveryView>(respond, route));
  }

  // False after a refusal.
  static bool read_order(const HttpRequest& request, const Respond& respond, std::string_view route,
                         google::protobuf::Message& order) {
    if (!is_json(request)) {
      send(respond,
           problem(415, invalid_argument("MEDIA_TYPE_UNSUPPORTED",
                                         "an order is JSON, sent as application/json")),
           route);
      return false;
    }
    const auto read = json_to_message(request.body, order);
    if (!read) send(respond, problem(read.error()), route);
    return read.has_value();
  }

  void recover(const HttpRequest& request, const Respond& respond) const {
    RecoveryRequest order;
    if (read_order(request, respond, recovery_path, order))
      source.recover(order, as_json<RecoveryReport>(respond, recovery_path));
  }

  void order(const HttpRequest& request, const Respond& respond) const {
    DirectoryOrder order;
    if (read_order(request, respond, directory_path, order))
      source.order(order, as_json<DirectoryOutcome>(respond, directory_path));
  }

  void survey(const Respond& respond, std::string_view route) const {
    source.survey(as_json<BackupSurvey>(respond, route));
  }
  void back_up(const HttpRequest& request, const Respond& respond) const {
    BackupRequest step;
    if (read_order(request, respond, backup_path, step))
      source.back_up(step, as_json<BackupAnswer>(respond, backup_path));
  }

  static constexpr std::string_view backup_path = "/v1/backup";
  static constexpr std::string_view recovery_path = "/v1/recovery";
  static constexpr std::string_view directory_path = "/v1/directory";

  static constexpr std::array<std::pair<std::string_view, Page>, 12> all() {
    return {{{"/healthz", &Pages::healthy},
             {"/readyz", &Pages::ready},
             {"/metrics", &Pages::metrics},
             {"/v1/status", &Pages::status},
             {"/v1/tree", &Pages::tree},
             {"/v1/shards", &Pages::shards},
             {"/v1/cluster/status", &Pages::cluster<NodeQuestion::STATUS>},
             {"/v1/cluster/tree", &Pages::cluster<NodeQuestion::TREE>},
             {"/v1/cluster/shards", &Pages::cluster<NodeQuestion::SHARDS>},
             {directory_path, &Pages::directory},
             {recovery_path, &Pages::recovery},
             {backup_path, &Pages::survey}}};
  }

  using Order = void (Pages::*)(const HttpRequest& request, const Respond& respond) const;
  static constexpr std::array<std::pair<std::string_view, Order>, 3> orders() {
    return {{{directory_path, &Pages::order},
             {recovery_path, &Pages::recover},
             {backup_path, &Pages::back_up}}};
  }
  static Order order_at(std::string_view path) {
    for (const auto& [place, obey] : orders())
      if (place == path) return obey;
    return nullptr;
  }

  void handle(const HttpRequest& request, const Respond& respond) const {
    for (const auto& [path, page] : all()) {
      if (request.path != path) continue;
      if (request.method == "GET" || request.method == "HEAD") return (this->*page)(respond, path);
      const Order obey = order_at(path);
      if (request.method == "POST" && obey) return (this->*obey)(request, respond);
      auto response = problem(
          405, invalid_argument("METHOD_NOT_ALLOWED", std::string{path} + " is read with GET"));
      response.headers.push_back({"Allow", obey ? "GET, HEAD, POST" : "GET, HEAD"});
      return send(respond, std::move(response), path);
    }
    std::string pages;
    for (const auto& [path, page] : all()) {
      if (!pages.empty()) pages += ", ";
      pages += path;
    }
    send(respond,
         problem(not_found("ROUTE_NOT_FOUND",
                           "nothing is served at " + request.path + "; there are " + pages)),
         "");
  }
};

}  // namespace

Result<std::unique_ptr<AdminServer>> AdminServer::start(runtime::Platform& platform,
                                                        AdminSource& source,
                                                        const runtime::Address& listen,
                                                        const HttpLimits& limits) {
  std::unique_ptr<AdminServer> admin{new AdminServer};
  TROUPE_TRY(server, HttpServer::listen(platform, listen, observed(platform, "admin", limits),
                                        [pages = Pages{platform, source}](
                                            const HttpRequest& request, const Respond& respond) {
                                          pages.handle(request, respond);
                                        }));
  admin->server_ = std::move(server);
  return admin;
}

}  // namespace troupe::cluster
