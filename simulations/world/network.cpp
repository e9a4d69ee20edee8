#include "simulations/world/network.hpp"

#include <arpa/inet.h>

#include <array>
#include <utility>
#include <vector>

#include "simulations/world/stream.hpp"

namespace troupe::simulations {

namespace {

bool is_literal(const std::string& host) {
  std::array<unsigned char, 16> bytes{};
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

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

}  // namespace

// --- Fabric -------------------------------------------------------------------------------------

bool Fabric::resolves(const std::string& host) const {
  return host == "localhost" || hosts_.contains(host) || is_literal(host);
}

std::uint16_t Fabric::free_port(const std::string& host) {
  constexpr std::uint16_t first = 49152;
  auto& port = last_port_.try_emplace(host, first - 1).first->second;
  do {
    port = port == UINT16_MAX ? first : static_cast<std::uint16_t>(port + 1);
  } while (listening.contains({host, port}));
  return port;
}

Duration Fabric::delay(RandomStream& random) const {
  return Duration{
      static_cast<Duration::rep>(random.between(static_cast<std::uint64_t>(times_.min.count()),
                                                static_cast<std::uint64_t>(times_.max.count())))};
}

void Fabric::drop(const Life& life) {
  std::erase_if(listening, [&](const auto& entry) { return entry.second.life.get() == &life; });
  std::vector<std::shared_ptr<SimStream>> dropped;
  for (const auto& [number, stream] : streams) {
    if (&stream->life() == &life) dropped.push_back(stream);
  }
  for (const auto& stream : dropped) stream->drop();
}

// --- SimNetwork ---------------------------------------------------------------------------------

Result<std::unique_ptr<runtime::Listener>> SimNetwork::listen(const runtime::Address& address,
                                                              Accept accept) {
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
    fabric_.listening.emplace(key, Fabric::Listening{life_, std::move(accept)});
  }
  return std::unique_ptr<runtime::Listener>(new SimListener(life_, fabric_, std::move(local)));
}

void SimNetwork::connect(const runtime::Address& address, Duration timeout, Connected connected) {
  if (life_->over()) return;
  const auto attempt = ++last_attempt_;
  attempts_.emplace(attempt, std::move(connected));
  if (!fabric_.resolves(address.host)) {
    answer(attempt, Duration{0}, unavailable("NAME_NOT_RESOLVED", unresolved(address.host)));
    return;
  }
  auto random = fabric_.next_random(life_->node());
  const auto there = fabric_.delay(random);
  const auto back = fabric_.delay(random);
  if (there + back > timeout) {
    answer(attempt, timeout,
           deadline_exceeded("CONNECT_TIMEOUT", address.to_string() + " did not answer in time"));
    return;
  }
  fabric_.loop.after(there, [self = shared_from_this(), attempt, address, back] {
    if (!self->life_->over()) self->reach(attempt, address, back);
  });
}

// At the other machine: its listener makes a stream, ours opens when the answer is back.
void SimNetwork::reach(std::uint64_t attempt, const runtime::Address& address, Duration back) {
  const auto found = fabric_.listening.find({address.host, address.port});
  if (found == fabric_.listening.end()) {
    answer(attempt, back,
           unavailable("CONNECTION_REFUSED", "nothing listens on " + address.to_string()));
    return;
  }
  const auto listening = found->second;  // accepting may stop the listening
  const runtime::Address local{life_->node_name(), fabric_.free_port(life_->node_name())};
  const auto theirs = std::make_shared<SimStream>(fabric_, listening.life, address, local);
  const auto ours = std::make_shared<SimStream>(fabric_, life_, local, address);
  SimStream::join(theirs, ours, fabric_.loop.now() + back);
  answer(attempt, back, ours);
  theirs->open(listening.accept(theirs));
}

void SimNetwork::answer(std::uint64_t attempt, Duration delay,
                        Result<std::shared_ptr<SimStream>> result) {
  fabric_.loop.after(delay, [self = shared_from_this(), attempt, result = std::move(result)] {
    const auto found = self->attempts_.extract(attempt);
    if (!found || self->life_->over()) return;  // dropped; so is the stream
    if (result) {
      (*result)->open(found.mapped()(std::shared_ptr<runtime::Stream>(*result)));
    } else {
      self->life_->record("net.fail", result.error().reason);
      found.mapped()(result.error());
    }
  });
}

void SimNetwork::drop() {
  std::exchange(attempts_, {}).clear();
  fabric_.drop(*life_);
}

}  // namespace troupe::simulations
