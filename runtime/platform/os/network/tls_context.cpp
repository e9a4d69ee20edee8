#include "runtime/platform/os/network/tls_context.hpp"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace troupe::runtime {
namespace {

// AES-128 first: links carry much, and it costs a third less than AES-256.
constexpr const char* cipher_suites =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
// Of TLS 1.2 those with forward secrecy that encrypt and authenticate in one.
constexpr const char* older_ciphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* key_groups = "X25519:P-256";
constexpr std::size_t file_bytes_max = 1 << 20;

int verdict_slot() {
  static const int slot = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return slot;
}

Error in_file(const std::string& path, const std::string& what) {
  return unusable(path + ": " + what);
}

Result<std::string> read_file(const std::string& path, const char* what) {
  if (path.empty()) return unusable(std::string{"no file is named for "} + what);
  errno = 0;
  std::ifstream stream{path, std::ios::binary};
  std::string text{std::istreambuf_iterator<char>{stream}, {}};
  if (!stream.is_open() || stream.bad())
    return in_file(path, std::string{"cannot read "} + what + ": " +
                             std::strerror(errno != 0 ? errno : EIO) + "; `troupe certs` makes it");
  if (text.size() > file_bytes_max) return in_file(path, "is too large for credentials");
  return text;
}

// Puts the file's name before what is wrong with its text.
template <class Parsed>
Result<Parsed> named(const std::string& path, Result<Parsed> parsed) {
  if (!parsed) return in_file(path, parsed.error().message);
  return parsed;
}

// A client that speaks other protocols alone is told so (RFC 7301).
int choose_http(SSL*, const unsigned char** chosen, unsigned char* length,
                const unsigned char* offered, unsigned offered_length, void*) {
  static constexpr unsigned char ours[] = "\x08http/1.1";
  unsigned char* found = nullptr;
  if (SSL_select_next_proto(&found, length, ours, sizeof ours - 1, offered, offered_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *chosen = found;
  return SSL_TLSEXT_ERR_OK;
}

// A list that is not there revokes nothing: authorities need not keep one.
int forgive_missing_list(int verified, X509_STORE_CTX* store) {
  if (X509_STORE_CTX_get_error(store) != X509_V_ERR_UNABLE_TO_GET_CRL) return verified;
  X509_STORE_CTX_set_error(store, X509_V_OK);
  return 1;
}

// Who the certificate says it is of, which nothing may have proved, and its number.
std::string description(const X509& certificate) {
  const auto identity = identity_of(certificate);
  return " (" + (identity ? identity->uri() + ", " : std::string{}) + "serial number " +
         serial_of(certificate) + ")";
}

Error refusal(int error, const X509* certificate) {
  const auto from = certificate ? to_wall_time(X509_get0_notBefore(certificate)) : WallTime{};
  const auto until = certificate ? to_wall_time(X509_get0_notAfter(certificate)) : WallTime{};
  const auto which = certificate ? description(*certificate) : std::string{};
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return unauthenticated("CERTIFICATE_EXPIRED", "its certificate" + which + " expired at " +
                                                        to_text(until) +
                                                        "; renew it there, or correct the clock");
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return unauthenticated("CERTIFICATE_NOT_YET_VALID",
                             "its certificate" + which + " is valid from " + to_text(from) +
                                 " on; compare the clocks of both machines");
    case X509_V_ERR_CERT_REVOKED:
      return unauthenticated("CERTIFICATE_REVOKED", "its certificate" + which + " was revoked");
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return unauthenticated("REVOCATION_LIST_STALE",
                             "our list of revoked certificates is out of date, so nobody can be "
                             "checked; renew the list");
    default:
      return unauthenticated("CERTIFICATE_FOREIGN", "its certificate" + which +
                                                        " is not one of our authority's: " +
                                                        X509_verify_cert_error_string(error));
  }
}

}  // namespace

Result<std::shared_ptr<TlsContext>> TlsContext::read(const CredentialFiles& files) {
  const std::shared_ptr<TlsContext> context{new TlsContext};
  ERR_clear_error();
  TROUPE_CHECK(context->load(files));
  ERR_clear_error();
  return context;
}

Result<void> TlsContext::load(const CredentialFiles& files) {
  cluster_ = files.cluster;
  ssl_.reset(SSL_CTX_new(TLS_method()));
  if (!ssl_) return internal("cannot set up TLS: " + take_openssl_error());
  if (cluster_.empty()) {
    configure_for_anyone();
    return load_own(files);
  }
  configure();

  TROUPE_TRY(authority_text, read_file(files.authority, "the authority's certificate"));
  TROUPE_TRY(authorities, named(files.authority, parse_certificates(authority_text)));
  authorities_ = std::move(authorities);
  for (const auto& authority : authorities_) {
    if (X509_check_ca(authority.get()) == 0)
      return in_file(files.authority, "holds a certificate that is none of an authority");
    X509_STORE_add_cert(SSL_CTX_get_cert_store(ssl_.get()), authority.get());
  }
  TROUPE_CHECK(load_own(files));
  return add_lists(files);
}

Result<void> TlsContext::load_own(const CredentialFiles& files) {
  TROUPE_TRY(chain_text, read_file(files.certificate, "the node's certificate"));
  TROUPE_TRY(chain, named(files.certificate, parse_certificates(chain_text)));
  TROUPE_TRY(key_text, read_file(files.key, "the node's key"));
  auto key = named(files.key, parse_key(key_text));
  OPENSSL_cleanse(key_text.data(), key_text.size());
  if (!key) return std::move(key).error();

  auto* leaf = chain.front().get();
  if (X509_check_private_key(leaf, key->get()) != 1)
    return in_file(files.key, "is not the key of the certificate in " + files.certificate +
                                  "; put files there that were made together");
  if (SSL_CTX_use_certificate(ssl_.get(), leaf) != 1 ||
      SSL_CTX_use_PrivateKey(ssl_.get(), key->get()) != 1)
    return in_file(files.certificate, "cannot be used: " + take_openssl_error());
  for (std::size_t i = 1; i < chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(ssl_.get(), chain[i].get()) != 1)
      return in_file(files.certificate, "cannot be used: " + take_openssl_error());
  return cluster_.empty() ? check_shown(files, leaf) : check_own(files, leaf);
}

// Whom clients believe is their business.
Result<void> TlsContext::check_shown(const CredentialFiles& files, X509* leaf) {
  if (X509_check_purpose(leaf, X509_PURPOSE_SSL_SERVER, 0) != 1)
    return in_file(files.certificate,
                   "may not be used by a server; it needs the extended key usage serverAuth");
  name_ = files.certificate;
  validity_ = {to_wall_time(X509_get0_notBefore(leaf)), to_wall_time(X509_get0_notAfter(leaf))};
  serial_ = serial_of(*leaf);
  return {};
}

// What peers would refuse for ever is found here; what time may change is theirs to judge.
Result<void> TlsContext::check_own(const CredentialFiles& files, X509* leaf) {
  auto identity = identity_of(*leaf);
  if (!identity) return in_file(files.certificate, identity.error().message);
  if (identity->cluster != cluster_)
    return in_file(files.certificate, "is the certificate of " + identity->uri() +
                                          ", not of a node of the cluster " + cluster_);
  own_ = *identity;
  name_ = own_.uri();
  validity_ = {to_wall_time(X509_get0_notBefore(leaf)), to_wall_time(X509_get0_notAfter(leaf))};
  serial_ = serial_of(*leaf);

  STACK_OF(X509)* between = nullptr;
  SSL_CTX_get0_chain_certs(ssl_.get(), &between);
  const std::unique_ptr<X509_STORE_CTX, FreedBy<X509_STORE_CTX_free>> check{X509_STORE_CTX_new()};
  if (!check ||
      X509_STORE_CTX_init(check.get(), SSL_CTX_get_cert_store(ssl_.get()), leaf, between) != 1)
    return internal("cannot check a certificate: " + take_openssl_error());
  X509_STORE_CTX_set_flags(check.get(), X509_V_FLAG_NO_CHECK_TIME);
  for (const int purpose : {X509_PURPOSE_SSL_SERVER, X509_PURPOSE_SSL_CLIENT})
    if (X509_check_purpose(leaf, purpose, 0) != 1)
      return in_file(files.certificate,
                     "may not be used on both ends of a link; it needs the extended key usages "
                     "serverAuth and clientAuth");
  if (X509_verify_cert(check.get()) != 1)
    return in_file(files.certificate,
                   "is not signed by an authority in " + files.authority + ": " +
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get())));
  return {};
}

Result<void> TlsContext::add_lists(const CredentialFiles& files) {
  if (files.revoked.empty()) return {};
  TROUPE_TRY(text, read_file(files.revoked, "the list of revoked certificates"));
  TROUPE_TRY(lists, named(files.revoked, parse_revocation_lists(text)));
  auto* store = SSL_CTX_get_cert_store(ssl_.get());
  for (const auto& list : lists) {
    bool known = false;
    for (const auto& authority : authorities_)
      known = known || X509_CRL_verify(list.get(), X509_get0_pubkey(authority.get())) == 1;
    ERR_clear_error();
    if (!known)
      return in_file(files.revoked, "is not signed by an authority in " + files.authority);
    X509_STORE_add_crl(store, list.get());
    X509_REVOKED* found = nullptr;
    auto* leaf = SSL_CTX_get0_certificate(ssl_.get());
    own_revoked_ = own_revoked_ || X509_CRL_get0_by_cert(list.get(), &found, leaf) == 1;
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

void TlsContext::configure() {
  auto* ssl = ssl_.get();
  SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION);
  SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION);
  SSL_CTX_set_ciphersuites(ssl, cipher_suites);
  SSL_CTX_set1_groups_list(ssl, key_groups);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_verify(ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(ssl, &TlsContext::verify, this);
  // A session ticket follows once the accepting side has checked the other's certificate: that is
  // how the connecting side learns that it was let in. Nothing is kept that a ticket could resume.
  SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(ssl, 1);
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(ssl, &TlsContext::session_made);
  constexpr unsigned char context_id[] = "troupe";
  SSL_CTX_set_session_id_context(ssl, context_id, sizeof context_id - 1);
}

void TlsContext::configure_for_anyone() {
  auto* ssl = ssl_.get();
  SSL_CTX_set_min_proto_version(ssl, TLS1_2_VERSION);
  SSL_CTX_set_ciphersuites(ssl, cipher_suites);
  SSL_CTX_set_cipher_list(ssl, older_ciphers);
  SSL_CTX_set1_groups_list(ssl, key_groups);
  SSL_CTX_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(
      ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  // Who resumes by a ticket has all that a client shows here: nothing.
  SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(ssl, &choose_http, nullptr);
}

void TlsContext::watch(SSL* ssl, Verdict* verdict) {
  SSL_set_ex_data(ssl, verdict_slot(), verdict);
}

TlsContext::Verdict* TlsContext::verdict_of(const SSL* ssl) {
  return static_cast<Verdict*>(SSL_get_ex_data(ssl, verdict_slot()));
}

int TlsContext::session_made(SSL* ssl, SSL_SESSION*) {
  verdict_of(ssl)->confirmed = true;
  return 0;  // the session stays OpenSSL's, which drops it
}

int TlsContext::verify(X509_STORE_CTX* store, void* self) {
  const auto& context = *static_cast<const TlsContext*>(self);
  auto* ssl =
      static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& verdict = *verdict_of(ssl);
  X509_STORE_CTX_set_verify_cb(store, &forgive_missing_list);
  if (X509_verify_cert(store) != 1) {
    verdict.refusal =
        refusal(X509_STORE_CTX_get_error(store), X509_STORE_CTX_get_current_cert(store));
    // The peer is to learn that it is about certificates, not about the connection.
    if (X509_STORE_CTX_get_error(store) == X509_V_ERR_CERT_SIGNATURE_FAILURE ||
        X509_STORE_CTX_get_error(store) == X509_V_ERR_CRL_SIGNATURE_FAILURE)
      X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
  }
  auto identity = identity_of(*X509_STORE_CTX_get0_cert(store));
  if (identity && identity->cluster != context.cluster_)
    identity =
        unauthenticated("IDENTITY_FOREIGN", "it is " + identity->uri() +
                                                ", no node of the cluster " + context.cluster_);
  if (!identity) {
    verdict.refusal = identity.error();
    X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
    return 0;
  }
  verdict.identity = identity->uri();
  return 1;
}

}  // namespace troupe::runtime
