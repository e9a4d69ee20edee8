#include "cluster/gateway/http/http_server.hpp"

#include <cstdlib>
#include <utility>
#include <vector>

#include "cluster/gateway/http/http_connection.hpp"
#include "cluster/gateway/http/http_core.hpp"
#include "cluster/gateway/http/problem.hpp"

namespace troupe::cluster {
std::shared_ptr<runtime::StreamHandler> HttpServer::Core::accept(
    std::shared_ptr<runtime::Stream> stream) {
  if (platform.descriptors_scarce()) {
    say_scarce(stream->remote());
    return nullptr;
  }
  std::shared_ptr<HttpConnection> connection;
  {
    const std::lock_guard lock{mutex_};
    const auto most = options.limits.connections_max;
    if (stopping_ || open_.size() >= most + most / 8 + 1) return nullptr;
    const auto id = ++next_id_;
    connection = std::make_shared<HttpConnection>(shared_from_this(), std::move(stream), id,
                                                  open_.size() >= most);
    open_.emplace(id, connection);
    announce_locked();
  }
  connection->start();
  return connection;
}

void HttpServer::Core::say_scarce(const runtime::Address& remote) {
  if (!scarce_.due(platform.clock().now())) return;
  platform.log().warn("network.descriptors_scarce",
                      "connections of HTTP are not accepted: too few descriptors are left",
                      {{"remote", remote.to_string()}});
}

void HttpServer::Core::remove(std::uint64_t id) {
  std::function<void()> done;
  {
    const std::lock_guard lock{mutex_};
    open_.erase(id);
    announce_locked();
    if (open_.empty()) done = std::exchange(done_, nullptr);
  }
  if (!done) return;
  const runtime::Gate::Visit visit{gate};
  if (visit) done();
}

void HttpServer::Core::announce_locked() {
  if (options.connections_changed) options.connections_changed(open_.size());
}

std::vector<std::shared_ptr<HttpConnection>> HttpServer::Core::connections() {
  std::vector<std::shared_ptr<HttpConnection>> all;
  const std::lock_guard lock{mutex_};
  for (const auto& [id, connection] : open_) {
    if (auto strong = connection.lock()) all.push_back(std::move(strong));
  }
  return all;
}

void HttpServer::Core::stop(Duration deadline, std::function<void()> done) {
  {
    const std::lock_guard lock{mutex_};
    if (std::exchange(stopping_, true)) return;
    if (!open_.empty()) done_ = std::exchange(done, nullptr);
  }
  if (done) return done();
  const auto end = platform.clock().now() + deadline;
  for (const auto& connection : connections()) connection->stop(end);
}

void HttpServer::Core::abort() {
  {
    const std::lock_guard lock{mutex_};
    stopping_ = true;
    done_ = nullptr;
  }
  gate.close();
  for (const auto& connection : connections()) connection->abort();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(runtime::Platform& platform,
                                                       const runtime::Address& address,
                                                       HttpServerOptions options,
                                                       HttpHandler handler) {
  auto security = options.security;
  auto core = std::make_shared<Core>(platform, std::move(options), std::move(handler));
  auto listener = platform.network().listen(
      address,
      [core](std::shared_ptr<runtime::Stream> stream) -> decltype(core->accept(stream)) {
        return core->accept(std::move(stream));
      },
      std::move(security));
  if (!listener) return std::move(listener).error();
  std::unique_ptr<HttpServer> server{new HttpServer{std::move(core)}};
  server->local_ = (*listener)->local();
  server->listener_ = std::move(*listener);
  return server;
}

HttpServer::~HttpServer() {
  listener_.reset();
  core_->abort();
}

void HttpServer::stop(Duration deadline, std::function<void()> done) {
  listener_.reset();
  core_->stop(deadline, std::move(done));
}

struct Respond::Ticket {
  Ticket(std::shared_ptr<HttpConnection> the_connection, std::uint64_t the_sequence)
      : connection{std::move(the_connection)}, sequence{the_sequence} {}
  Ticket(const Ticket&) = delete;
  Ticket& operator=(const Ticket&) = delete;
  ~Ticket() {
    if (answered) return;
    connection->answer(sequence, problem(internal("ANSWER_MISSING",
                                                  "the request was dropped without an answer; it "
                                                  "may or may not have taken effect")));
  }

  const std::shared_ptr<HttpConnection> connection;
  const std::uint64_t sequence;
  std::atomic<bool> answered{false};
};

Respond::Respond(std::shared_ptr<HttpConnection> connection, std::uint64_t sequence)
    : ticket_{std::make_shared<Ticket>(std::move(connection), sequence)} {}

void Respond::operator()(HttpResponse response) const {
  if (ticket_->answered.exchange(true)) std::abort();  // two answers to one request: a bug
  ticket_->connection->answer(ticket_->sequence, std::move(response));
}

void Respond::if_overdue(std::shared_ptr<const OverdueAnswer> answer) const {
  ticket_->connection->if_overdue(ticket_->sequence, std::move(answer));
}

}  // namespace troupe::cluster
