#include "runtime/platform/os/os_network.hpp"

#include <algorithm>
#include <atomic>
#include <vector>

#include "runtime/platform/os/network/network_error.hpp"
#include "runtime/platform/os/network/tcp_acceptor.hpp"
#include "runtime/platform/os/network/tcp_connector.hpp"

namespace troupe::runtime {
namespace {

using boost::asio::ip::tcp;

// Keeps the loops alive for listeners that their owner destroys after the network.
struct Loops {
  explicit Loops(std::size_t threads) {
    for (std::size_t i = 0; i < std::max<std::size_t>(threads, 1); ++i)
      all.push_back(std::make_shared<IoLoop>("net-" + std::to_string(i)));
  }
  std::shared_ptr<IoLoop> next() { return all[turn.fetch_add(1) % all.size()]; }

  std::vector<std::shared_ptr<IoLoop>> all;
  std::atomic<std::size_t> turn = 0;
};

class OsListener final : public Listener {
 public:
  explicit OsListener(std::shared_ptr<TcpAcceptor> acceptor) : acceptor_(std::move(acceptor)) {}
  ~OsListener() override { acceptor_->stop(); }
  Address local() const override { return acceptor_->local(); }

 private:
  const std::shared_ptr<TcpAcceptor> acceptor_;
};

// A name with addresses of both families is bound to its first IPv4 one: "localhost" is where other
// programs look for it, whatever the order in which the system names its addresses.
Result<tcp::endpoint> endpoint_to_bind(const Address& address) {
  if (const auto endpoint = to_endpoint(address)) return *endpoint;
  boost::asio::io_context context;
  tcp::resolver resolver{context};
  boost::system::error_code error;
  const auto found =
      resolver.resolve(address.host, std::to_string(address.port),
                       tcp::resolver::numeric_service | tcp::resolver::passive, error);
  if (error || found.empty())
    return invalid_argument("NAME_NOT_RESOLVED", "cannot listen on " + address.to_string() + ": " +
                                                     unresolved(error, address));
  for (const auto& entry : found)
    if (entry.endpoint().protocol() == tcp::v4()) return entry.endpoint();
  return found.begin()->endpoint();
}

class OsNetwork final : public Network {
 public:
  OsNetwork(std::size_t threads, Logger& log)
      : log_(log), loops_(std::make_shared<Loops>(threads)) {}

  ~OsNetwork() override {
    for (const auto& loop : loops_->all) loop->shut_down();
  }

  Result<std::shared_ptr<Security>> load_security(const CredentialFiles& files) override {
    TROUPE_TRY(credentials, TlsCredentials::load(files, log_));
    return std::shared_ptr<Security>{credentials};
  }

  Result<std::unique_ptr<Listener>> listen(const Address& address, Accept accept,
                                           std::shared_ptr<Security> security) override {
    TROUPE_TRY(endpoint, endpoint_to_bind(address));
    const auto acceptor = std::make_shared<TcpAcceptor>(
        loops_->all.front(), [loops = loops_] { return loops->next(); }, std::move(accept),
        of_this_network(std::move(security)), log_);
    TROUPE_CHECK(acceptor->open(address, endpoint));
    acceptor->start();
    return std::make_unique<OsListener>(acceptor);
  }

  void connect(const Address& address, Duration timeout, Connected connected,
               std::shared_ptr<Security> security) override {
    const auto loop = loop_of_caller();
    const auto connector = std::make_shared<TcpConnector>(
        loop, address, std::move(connected), of_this_network(std::move(security)), log_);
    loop->post([connector, timeout] { connector->start(timeout); });
  }

 private:
  static std::shared_ptr<TlsCredentials> of_this_network(std::shared_ptr<Security> security) {
    return std::static_pointer_cast<TlsCredentials>(std::move(security));
  }

  std::shared_ptr<IoLoop> loop_of_caller() {
    for (const auto& loop : loops_->all)
      if (loop->on_this_thread()) return loop;
    return loops_->next();
  }

  Logger& log_;
  const std::shared_ptr<Loops> loops_;
};

}  // namespace

std::unique_ptr<Network> make_os_network(std::size_t threads, Logger& log) {
  return std::make_unique<OsNetwork>(threads, log);
}

}  // namespace troupe::runtime
