#include "simulations/world/network.hpp"

#include <utility>

#include "simulations/world/stream.hpp"

namespace troupe::simulations {

namespace {

std::string unresolved(const std::string& host) {
  return "the name " + host +
         " has no address; use a machine of this world, localhost or an IP address";
}

class SimListener final : public runtime::Listener {
 public:
  SimListener(std::shared_ptr<Life> life, Fabric& fabric, runtime::Address local)
      : life_(std::move(life)), fabric_(fabric), local_(std::move(local)) {}

  ~SimListener() override {
    const auto found = fabric_.listening.find({local_.host, local_.port});
    // A later life may listen there by now.
    if (found != fabric_.listening.end() && found->second.life == life_) {
      fabric_.listening.erase(found);
    }
  }

  runtime::Address local() const override { return local_; }

 private:
  std::shared_ptr<Life> life_;
  Fabric& fabric_;
  runtime::Address local_;
};

std::shared_ptr<SimSecurity> of_a_world(std::shared_ptr<runtime::Security> security) {
  return std::static_pointer_cast<SimSecurity>(std::move(security));
}

}  // namespace

Result<std::shared_ptr<runtime::Security>> SimNetwork::load_security(
    const runtime::CredentialFiles& files) {
  return std::shared_ptr<runtime::Security>{
      std::make_shared<SimSecurity>(certificate_, files.cluster, life_->node_name())};
}

Result<std::unique_ptr<runtime::Listener>> SimNetwork::listen(
    const runtime::Address& address, Accept accept, std::shared_ptr<runtime::Security> security) {
  auto local = address;
  if (local.host == "0.0.0.0" || local.host == "::") local.host = life_->node_name();
  if (!fabric_.resolves(local.host)) {
    return invalid_argument("NAME_NOT_RESOLVED", unresolved(local.host));
  }
  if (local.port == 0) local.port = fabric_.free_port(local.host);
  const std::pair key{local.host, local.port};
  if (!life_->over()) {
    if (fabric_.listening.contains(key)) {
      return unavailable("ADDRESS_IN_USE",
                         local.to_string() + " is in use; stop its owner or choose another port");
    }
    life_->record("net.listen", local.to_string());
    fabric_.listening.emplace(
        key, Fabric::Listening{life_, std::move(accept), of_a_world(std::move(security))});
  }
  return std::unique_ptr<runtime::Listener>(new SimListener(life_, fabric_, std::move(local)));
}

namespace {

Error connect_timeout(const runtime::Address& address) {
  return deadline_exceeded("CONNECT_TIMEOUT", address.to_string() + " did not answer in time");
}

}  // namespace

void SimNetwork::connect(const runtime::Address& address, Duration timeout, Connected connected,
                         std::shared_ptr<runtime::Security> security) {
  if (life_->over()) return;
  const auto attempt = ++last_attempt_;
  const auto here = life_->node();
  const bool secured = security != nullptr;
  attempts_.emplace(attempt, Attempt{std::move(connected), address, fabric_.loop.now() + timeout,
                                     of_a_world(std::move(security))});
  if (!fabric_.resolves(address.host)) {
    answer(attempt, Duration{0}, here, unavailable("NAME_NOT_RESOLVED", unresolved(address.host)));
    return;
  }
  auto random = fabric_.next_random(here);
  const auto target = fabric_.node_at(address).value_or(here);
  auto there = fabric_.delay(random);
  auto back = fabric_.delay(random);
  there += fabric_.extra_delay(here, target, random);
  back += fabric_.extra_delay(target, here, random);
  if (secured) there += fabric_.delay(random) + fabric_.delay(random);
  if (there + back > timeout) {
    answer(attempt, timeout, here, connect_timeout(address));
    return;
  }
  fabric_.loop.after(there, [self = shared_from_this(), attempt, address, here, target, back] {
    if (!self->fabric_.passes(here, target)) self->may_expire(attempt);
    self->fabric_.pass(here, target, [self, attempt, address, target, back] {
      if (self->attempts_.contains(attempt)) self->reach(attempt, address, target, back);
    });
  });
}

// At the other machine: its listener makes a stream, ours opens when the answer is back.
void SimNetwork::reach(std::uint64_t attempt, const runtime::Address& address, std::uint32_t there,
                       Duration back) {
  if (life_->over()) return;
  const auto found = fabric_.listening.find({address.host, address.port});
  if (found == fabric_.listening.end() || fabric_.refuses(there)) {
    answer(attempt, back, there,
           unavailable("CONNECTION_REFUSED", "nothing listens on " + address.to_string()));
    return;
  }
  const auto listening = found->second;  // accepting may stop the listening
  const auto security = attempts_.at(attempt).security;
  const auto handshake = shake_hands(security.get(), listening.security.get(), address);
  if (handshake.accepting) listening.life->record("net.refuse", handshake.accepting->reason);
  if (handshake.connecting) {
    answer(attempt, back, listening.life->node(), *handshake.connecting);
    return;
  }
  const auto [theirs, ours] = make_ends(listening, security.get(), address, back);
  answer(attempt, back, listening.life->node(), ours);
  if (handshake.accepting) {
    theirs->open(nullptr);
    return;
  }
  // Its system has accepted already; a process that is paused learns of it later.
  listening.life->when_running([stream = theirs, life = listening.life, accept = listening.accept] {
    if (!life->over()) stream->open(accept(stream));
  });
}

std::pair<std::shared_ptr<SimStream>, std::shared_ptr<SimStream>> SimNetwork::make_ends(
    const Fabric::Listening& listening, const SimSecurity* security,
    const runtime::Address& address, Duration back) {
  const runtime::Address local{life_->node_name(), fabric_.free_port(life_->node_name())};
  auto theirs = std::make_shared<SimStream>(fabric_, listening.life, address, local,
                                            security ? security->identity() : "");
  auto ours = std::make_shared<SimStream>(fabric_, life_, local, address,
                                          security ? listening.security->identity() : "");
  SimStream::join(theirs, ours, fabric_.loop.now() + back);
  return {theirs, ours};
}

void SimNetwork::answer(std::uint64_t attempt, Duration delay, std::uint32_t from, Answer result) {
  fabric_.loop.after(delay, [self = shared_from_this(), attempt, from, result = std::move(result)] {
    const auto here = self->life_->node();
    if (!self->fabric_.passes(from, here)) self->may_expire(attempt);
    self->fabric_.pass(from, here, [self, attempt, result] {
      self->life_->when_running([self, attempt, result] { self->answered(attempt, result); });
    });
  });
}

void SimNetwork::answered(std::uint64_t attempt, const Answer& result) {
  if (life_->over()) return;  // dropped; so is the stream
  const auto found = attempts_.extract(attempt);
  if (!found) {
    if (result) (*result)->drop();  // too late
    return;
  }
  const auto connected = std::move(found.mapped().connected);
  if (result) {
    (*result)->open(connected(std::shared_ptr<runtime::Stream>(*result)));
  } else {
    life_->record("net.fail", result.error().reason);
    connected(result.error());
  }
}

void SimNetwork::may_expire(std::uint64_t attempt) {
  const auto found = attempts_.find(attempt);
  if (found == attempts_.end()) return;
  const auto& waiting = found->second;
  fabric_.loop.at(waiting.deadline,
                  [self = shared_from_this(), attempt, address = waiting.address] {
                    self->life_->when_running([self, attempt, address] {
                      if (self->attempts_.contains(attempt))
                        self->answered(attempt, connect_timeout(address));
                    });
                  });
}

void SimNetwork::drop() {
  std::exchange(attempts_, {}).clear();
  fabric_.drop(*life_);
}

}  // namespace troupe::simulations
