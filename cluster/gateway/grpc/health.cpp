#include "cluster/gateway/grpc/health.hpp"

#include <utility>

#include "cluster/gateway/grpc/grpc_status.hpp"
#include "grpc/health/v1/health.pb.h"

namespace troupe::cluster {
namespace {

namespace health_wire = grpc::health::v1;

Error unreadable() {
  return invalid_argument("REQUEST_MALFORMED",
                          "the request does not parse as grpc.health.v1.HealthCheckRequest");
}

}  // namespace

class Health::Check final : public runtime::RpcHandler {
 public:
  Check(std::shared_ptr<Health> health, std::shared_ptr<runtime::RpcCall> call)
      : health_(std::move(health)), call_(std::move(call)) {}

  void on_message(std::string message) override {
    health_wire::HealthCheckRequest request;
    if (!request.ParseFromString(message)) return call_->finish(rpc_status(unreadable()), {});
    if (!health_->services_.contains(request.service()))
      return call_->finish(
          rpc_status(not_found("GRPC_SERVICE_UNKNOWN", "this server has no service named \"" +
                                                           request.service() +
                                                           "\"; ask for one of its contracts")),
          {});
    health_->look();
    const std::lock_guard guard{health_->mutex_};
    health_wire::HealthCheckResponse response;
    response.set_status(
        static_cast<health_wire::HealthCheckResponse::ServingStatus>(health_->status(true)));
    call_->answer(response.SerializeAsString(), {});
  }
  void on_end() override { call_->finish(rpc_status(unreadable()), {}); }
  void on_closed() override {}

 private:
  const std::shared_ptr<Health> health_;
  const std::shared_ptr<runtime::RpcCall> call_;
};

class Health::Watch final : public runtime::RpcHandler {
 public:
  Watch(std::shared_ptr<Health> health, std::shared_ptr<runtime::RpcCall> call)
      : health_(std::move(health)), call_(std::move(call)) {}

  void on_message(std::string message) override {
    health_wire::HealthCheckRequest request;
    if (!request.ParseFromString(message)) return call_->finish(rpc_status(unreadable()), {});
    health_->begin(call_, request.service());
  }
  void on_end() override { call_->finish(rpc_status(unreadable()), {}); }
  void on_closed() override { health_->end(call_); }

 private:
  const std::shared_ptr<Health> health_;
  const std::shared_ptr<runtime::RpcCall> call_;
};

Health::Health(std::set<std::string> services, std::function<bool()> ready)
    : services_([&] {
        services.insert("");
        return std::move(services);
      }()),
      ready_(std::move(ready)) {}

std::shared_ptr<runtime::RpcHandler> Health::check(std::shared_ptr<runtime::RpcCall> call) {
  return std::make_shared<Check>(shared_from_this(), std::move(call));
}

std::shared_ptr<runtime::RpcHandler> Health::watch(std::shared_ptr<runtime::RpcCall> call) {
  return std::make_shared<Watch>(shared_from_this(), std::move(call));
}

int Health::status(bool known) const {
  if (!known) return health_wire::HealthCheckResponse::SERVICE_UNKNOWN;
  return serving_ && !stopped_ ? health_wire::HealthCheckResponse::SERVING
                               : health_wire::HealthCheckResponse::NOT_SERVING;
}

void Health::look() {
  const bool ready = ready_();
  const std::lock_guard guard{mutex_};
  serving_ = ready;
  tell();
}

void Health::stop() {
  {
    const std::lock_guard guard{mutex_};
    stopped_ = true;
    tell();
  }
  long_calls_.end_all();
}

void Health::tell() {
  for (auto& [call, watching] : watching_) {
    const int now = status(watching.known);
    if (std::exchange(watching.told, now) == now) continue;
    health_wire::HealthCheckResponse response;
    response.set_status(static_cast<health_wire::HealthCheckResponse::ServingStatus>(now));
    call->send(response.SerializeAsString());
  }
}

void Health::begin(const std::shared_ptr<runtime::RpcCall>& call, const std::string& service) {
  {
    const std::lock_guard guard{mutex_};
    watching_[call].known = services_.contains(service);
  }
  look();
  long_calls_.add(call);
}

void Health::end(const std::shared_ptr<runtime::RpcCall>& call) {
  long_calls_.remove(call);
  const std::lock_guard guard{mutex_};
  watching_.erase(call);
}

}  // namespace troupe::cluster
