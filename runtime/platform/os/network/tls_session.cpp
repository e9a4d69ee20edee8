#include "runtime/platform/os/network/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>
#include <climits>
#include <utility>

namespace troupe::runtime {
namespace {

TlsSession& session_of(BIO* bio) {
  return *static_cast<TlsSession*>(BIO_get_data(bio));
}

int bio_write(BIO* bio, const char* data, int count) {
  return session_of(bio).write_output(data, count);
}

int bio_read(BIO* bio, char* data, int count) {
  BIO_clear_retry_flags(bio);
  const int taken = session_of(bio).read_input(data, count);
  if (taken > 0) return taken;
  BIO_set_retry_read(bio);
  return -1;
}

long bio_control(BIO*, int command, long, void*) {
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

// Never freed: sessions may end as late as the process.
BIO_METHOD* bio_method() {
  static BIO_METHOD* const method = [] {
    auto* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "troupe");
    BIO_meth_set_write(made, &bio_write);
    BIO_meth_set_read(made, &bio_read);
    BIO_meth_set_ctrl(made, &bio_control);
    return made;
  }();
  return method;
}

// OpenSSL notes an alert of the peer as a reason of its own (ssl.h, SSL_AD_REASON_OFFSET).
int alert_of(unsigned long error) {
  const int reason = ERR_GET_REASON(error);
  return reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256
             ? reason - SSL_AD_REASON_OFFSET
             : -1;
}

// Whether it says that the peer does not want our certificate (RFC 8446, section 6.2).
bool about_certificates(int alert) {
  switch (alert) {
    case SSL_AD_BAD_CERTIFICATE:
    case SSL_AD_UNSUPPORTED_CERTIFICATE:
    case SSL_AD_CERTIFICATE_REVOKED:
    case SSL_AD_CERTIFICATE_EXPIRED:
    case SSL_AD_CERTIFICATE_UNKNOWN:
    case SSL_AD_UNKNOWN_CA:
    case SSL_AD_ACCESS_DENIED:
    case SSL3_AD_NO_CERTIFICATE:
    case TLS13_AD_CERTIFICATE_REQUIRED:
      return true;
    default:
      return false;
  }
}

Error handshake_error() {
  const auto error = ERR_peek_error();
  const int alert = alert_of(error);
  if (about_certificates(alert))
    return unauthenticated("CERTIFICATE_REFUSED",
                           std::string{"it refused our certificate and says: "} +
                               SSL_alert_desc_string_long(alert) + "; its log says more");
  if (alert >= 0)
    return unavailable("HANDSHAKE_FAILED", std::string{"it ended the handshake and says: "} +
                                               SSL_alert_desc_string_long(alert));
  if (ERR_GET_LIB(error) == ERR_LIB_SSL &&
      ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE)
    return unauthenticated("CERTIFICATE_MISSING",
                           "it shows no certificate, and only nodes of the cluster are let in");
  return unavailable("HANDSHAKE_FAILED",
                     "what it sends is no handshake of TLS 1.3: " + take_openssl_error());
}

}  // namespace

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, Side side)
    : context_(std::move(context)), side_(side), ssl_(SSL_new(context_->get())) {
  if (!ssl_) throw std::bad_alloc{};
  auto* bio = BIO_new(bio_method());
  if (bio == nullptr) throw std::bad_alloc{};
  BIO_set_data(bio, this);
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_.get(), bio, bio);  // which owns it now
  TlsContext::watch(ssl_.get(), &verdict_);
  if (side == Side::connecting) {
    SSL_set_connect_state(ssl_.get());
  } else {
    SSL_set_accept_state(ssl_.get());
  }
}

int TlsSession::write_output(const char* data, int count) {
  output_.append(data, static_cast<std::size_t>(count));
  return count;
}

int TlsSession::read_input(char* data, int count) {
  const auto taken = std::min(input_.size(), static_cast<std::size_t>(count));
  input_.copy(data, taken);  // none has no data
  input_.remove_prefix(taken);
  return static_cast<int>(taken);
}

TlsSession::Progress TlsSession::shake_hands(std::string_view bytes) {
  ERR_clear_error();
  input_ = bytes;
  int result = SSL_do_handshake(ssl_.get());
  bool let_in = result == 1;
  if (let_in && side_ == Side::connecting) {
    // The ticket stands before all data.
    char ignored = 0;
    result = SSL_peek(ssl_.get(), &ignored, 1);
    let_in = verdict_.confirmed;
  }
  if (let_in) {
    held_ = input_;
    input_ = {};
    return Progress::done;
  }
  const int state = SSL_get_error(ssl_.get(), result);
  input_ = {};
  if (state == SSL_ERROR_WANT_READ) return Progress::under_way;
  failure_ = verdict_.refusal ? *verdict_.refusal
             : state == SSL_ERROR_ZERO_RETURN
                 ? unavailable("HANDSHAKE_FAILED", "it ended the connection")
                 : handshake_error();
  ERR_clear_error();
  return Progress::failed;
}

Error TlsSession::failure(const Address& remote) const {
  auto error = failure_;
  error.message =
      "cannot secure the connection with " + remote.to_string() + ": " + failure_.message;
  return error;
}

Result<void> TlsSession::seal(std::string_view bytes) {
  ERR_clear_error();
  while (!bytes.empty()) {
    const int count = static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX));
    const int taken = SSL_write(ssl_.get(), bytes.data(), count);
    if (taken <= 0) return internal("cannot encrypt: " + take_openssl_error());
    bytes.remove_prefix(static_cast<std::size_t>(taken));
  }
  return {};
}

TlsSession::Opened TlsSession::open(std::string_view bytes, std::span<char> room) {
  ERR_clear_error();
  Opened opened;
  if (!held_.empty()) held_ += bytes;
  input_ = held_.empty() ? bytes : std::string_view{held_};
  for (;;) {
    std::size_t count = 0;
    const int result =
        SSL_read_ex(ssl_.get(), room.data() + opened.count, room.size() - opened.count, &count);
    opened.count += count;
    if (result == 1) continue;
    const int state = SSL_get_error(ssl_.get(), result);
    if (state == SSL_ERROR_WANT_READ) break;
    opened.input = state == SSL_ERROR_ZERO_RETURN ? Input::ended : Input::broken;
    if (opened.input == Input::broken) {
      const int alert = alert_of(ERR_peek_error());
      opened.why = alert >= 0
                       ? std::string{"it sent the alert: "} + SSL_alert_desc_string_long(alert)
                       : take_openssl_error();
    }
    break;
  }
  ERR_clear_error();
  input_ = {};
  held_.clear();
  return opened;
}

void TlsSession::say_goodbye() {
  ERR_clear_error();
  (void)SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

}  // namespace troupe::runtime
