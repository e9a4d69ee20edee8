#include "runtime/security/certificates.hpp"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>

#include "runtime/security/openssl.hpp"

namespace troupe::runtime {
namespace {

using BnPtr = std::unique_ptr<BIGNUM, FreedBy<BN_free>>;
using IntegerPtr = std::unique_ptr<ASN1_INTEGER, FreedBy<ASN1_INTEGER_free>>;
using TimePtr = std::unique_ptr<ASN1_TIME, FreedBy<ASN1_TIME_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreedBy<X509_EXTENSION_free>>;
using RevokedPtr = std::unique_ptr<X509_REVOKED, FreedBy<X509_REVOKED_free>>;

constexpr long x509_version_3 = 2;
constexpr long crl_version_2 = 1;
constexpr int serial_bits = 127;  // positive, and at most 20 bytes (RFC 5280, section 4.1.2.2)

Error failed(const std::string& what) {
  return internal("cannot make " + what + ": " + take_openssl_error());
}

TimePtr asn1_time(WallTime time) {
  return TimePtr{ASN1_TIME_set(
      nullptr, std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count())};
}

struct Authority {
  X509Ptr certificate;
  KeyPtr key;
};

Result<Authority> parse_authority(const KeyPair& pair) {
  TROUPE_TRY(certificates, parse_certificates(pair.certificate));
  TROUPE_TRY(key, parse_key(pair.key));
  if (X509_check_ca(certificates.front().get()) == 0)
    return unusable("the authority's certificate is none of an authority");
  if (X509_check_private_key(certificates.front().get(), key.get()) != 1) {
    ERR_clear_error();
    return unusable("the authority's key does not belong to its certificate");
  }
  return Authority{std::move(certificates.front()), std::move(key)};
}

bool add_extension(X509& certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, &certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension{X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str())};
  return extension && X509_add_ext(&certificate, extension.get(), -1) == 1;
}

// Everything but extensions and signature.
X509Ptr begin_certificate(EVP_PKEY& key, const std::string& organisation, const std::string& name,
                          const Validity& validity) {
  X509Ptr certificate{X509_new()};
  const BnPtr serial{BN_new()};
  if (!certificate || !serial ||
      BN_rand(serial.get(), serial_bits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) != 1)
    return nullptr;
  auto* subject = X509_get_subject_name(certificate.get());
  const auto add = [&](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_ASC,
                                      reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1,
                                      0) == 1;
  };
  const auto from = asn1_time(validity.from);
  const auto until = asn1_time(validity.until);
  const bool done =
      X509_set_version(certificate.get(), x509_version_3) == 1 &&
      BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get())) != nullptr &&
      add("O", organisation) && add("CN", name) && from && until &&
      X509_set1_notBefore(certificate.get(), from.get()) == 1 &&
      X509_set1_notAfter(certificate.get(), until.get()) == 1 &&
      X509_set_pubkey(certificate.get(), &key) == 1;
  return done ? std::move(certificate) : nullptr;
}

Result<void> check_validity(const Validity& validity) {
  if (validity.from < validity.until) return {};
  return invalid_argument("a certificate must begin to be valid before it ends: " +
                          to_text(validity.from) + " to " + to_text(validity.until));
}

bool ip_literal(const std::string& text) {
  std::array<unsigned char, 16> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 ||
         ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

bool dns_name(const std::string& text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.';
  });
}

// In the form of OpenSSL's configuration, which the checks keep anyone from adding to.
Result<std::string> alternative_names(const NodeRequest& request) {
  std::string names = "URI:" + request.identity.uri();
  for (const auto& name : request.dns) {
    if (!dns_name(name)) return invalid_argument("'" + name + "' is no DNS name");
    names += ",DNS:" + name;
  }
  for (const auto& ip : request.ips) {
    if (!ip_literal(ip)) return invalid_argument("'" + ip + "' is no IP address");
    names += ",IP:" + ip;
  }
  return names;
}

std::string organisation_of(const X509& certificate) {
  std::array<char, 128> text{};
  const int size =
      X509_NAME_get_text_by_NID(X509_get_subject_name(&certificate), NID_organizationName,
                                text.data(), static_cast<int>(text.size()));
  return size < 0 ? std::string{} : std::string{text.data()};
}

void read_names(const X509& certificate, CertificateInfo& info) {
  const std::unique_ptr<GENERAL_NAMES, FreedBy<GENERAL_NAMES_free>> names{
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_DNS && name->type != GEN_IPADD) continue;
    const auto* text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
    const auto* data = ASN1_STRING_get0_data(text);
    const int size = ASN1_STRING_length(text);
    if (name->type == GEN_DNS) {
      info.dns.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
      continue;
    }
    std::array<char, INET6_ADDRSTRLEN> ip{};
    if ((size == 4 || size == 16) &&
        ::inet_ntop(size == 4 ? AF_INET : AF_INET6, data, ip.data(), ip.size()) != nullptr)
      info.ips.emplace_back(ip.data());
  }
}

bool add_revoked(X509_CRL& list, const RevokedCertificate& one) {
  BIGNUM* number = nullptr;
  if (BN_hex2bn(&number, one.serial.c_str()) != static_cast<int>(one.serial.size())) {
    BN_free(number);
    return false;
  }
  const BnPtr owned{number};
  const IntegerPtr serial{BN_to_ASN1_INTEGER(number, nullptr)};
  const auto at = asn1_time(one.at);
  RevokedPtr revoked{X509_REVOKED_new()};
  if (!serial || !at || !revoked ||
      X509_REVOKED_set_serialNumber(revoked.get(), serial.get()) != 1 ||
      X509_REVOKED_set_revocationDate(revoked.get(), at.get()) != 1 ||
      X509_CRL_add0_revoked(&list, revoked.get()) != 1)
    return false;
  (void)revoked.release();  // the list's
  return true;
}

// Says whose key has signed, where two authorities have one name (RFC 5280, section 5.2.1).
bool name_signer(X509_CRL& list, X509* issuer) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, nullptr, nullptr, &list, 0);
  const ExtensionPtr extension{
      X509V3_EXT_conf_nid(nullptr, &context, NID_authority_key_identifier, "keyid:always")};
  return extension && X509_CRL_add_ext(&list, extension.get(), -1) == 1;
}

// Tells a cluster's authority from the one that will replace it.
std::string random_suffix() {
  std::array<unsigned char, 4> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return "";
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

bool number_list(X509_CRL& list, std::uint64_t number) {
  const IntegerPtr integer{ASN1_INTEGER_new()};
  return integer && ASN1_INTEGER_set_uint64(integer.get(), number) == 1 &&
         X509_CRL_add1_ext_i2d(&list, NID_crl_number, integer.get(), 0, 0) == 1;
}

}  // namespace

Result<KeyPair> make_authority(const std::string& cluster, const Validity& validity) {
  TROUPE_CHECK((NodeIdentity{cluster, "node"}.check()));
  TROUPE_CHECK(check_validity(validity));
  ERR_clear_error();
  const KeyPtr key{EVP_EC_gen("P-256")};
  if (!key) return failed("a key");
  const auto certificate =
      begin_certificate(*key, cluster, "authority of " + cluster + " " + random_suffix(), validity);
  if (!certificate ||
      X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())) != 1 ||
      !add_extension(*certificate, certificate.get(), NID_basic_constraints,
                     "critical,CA:TRUE,pathlen:0") ||
      !add_extension(*certificate, certificate.get(), NID_key_usage,
                     "critical,keyCertSign,cRLSign") ||
      !add_extension(*certificate, certificate.get(), NID_subject_key_identifier, "hash") ||
      X509_sign(certificate.get(), key.get(), EVP_sha256()) == 0)
    return failed("the authority's certificate");
  return KeyPair{to_pem(*certificate), to_pem(*key)};
}

Result<KeyPair> make_node_certificate(const KeyPair& authority, const NodeRequest& request) {
  TROUPE_CHECK(request.identity.check());
  TROUPE_CHECK(check_validity(request.validity));
  TROUPE_TRY(names, alternative_names(request));
  TROUPE_TRY(issuer, parse_authority(authority));
  ERR_clear_error();
  KeyPtr key;
  if (request.key.empty()) {
    key.reset(EVP_EC_gen("P-256"));
    if (!key) return failed("a key");
  } else {
    TROUPE_TRY(given, parse_key(request.key));
    key = std::move(given);
  }
  const auto certificate =
      begin_certificate(*key, request.identity.cluster, request.identity.node, request.validity);
  auto* signer = issuer.certificate.get();
  if (!certificate || X509_set_issuer_name(certificate.get(), X509_get_subject_name(signer)) != 1 ||
      !add_extension(*certificate, signer, NID_basic_constraints, "critical,CA:FALSE") ||
      !add_extension(*certificate, signer, NID_key_usage, "critical,digitalSignature") ||
      !add_extension(*certificate, signer, NID_ext_key_usage, "serverAuth,clientAuth") ||
      !add_extension(*certificate, signer, NID_subject_alt_name, names) ||
      !add_extension(*certificate, signer, NID_subject_key_identifier, "hash") ||
      !add_extension(*certificate, signer, NID_authority_key_identifier, "keyid:always") ||
      X509_sign(certificate.get(), issuer.key.get(), EVP_sha256()) == 0)
    return failed("the certificate of " + request.identity.uri());
  return KeyPair{to_pem(*certificate), to_pem(*key)};
}

Result<CertificateInfo> read_certificate(std::string_view pem) {
  TROUPE_TRY(certificates, parse_certificates(pem));
  auto& certificate = *certificates.front();
  CertificateInfo info;
  info.serial = serial_of(certificate);
  info.cluster = organisation_of(certificate);
  info.authority = X509_check_ca(&certificate) != 0;
  if (const auto identity = identity_of(certificate)) info.identity = identity->uri();
  info.validity = {to_wall_time(X509_get0_notBefore(&certificate)),
                   to_wall_time(X509_get0_notAfter(&certificate))};
  read_names(certificate, info);
  return info;
}

Result<std::string> make_revocation_list(const KeyPair& authority, const RevocationList& list) {
  TROUPE_CHECK(check_validity(list.validity));
  TROUPE_TRY(issuer, parse_authority(authority));
  ERR_clear_error();
  const CrlPtr made{X509_CRL_new()};
  const auto from = asn1_time(list.validity.from);
  const auto until = asn1_time(list.validity.until);
  if (!made || !from || !until || X509_CRL_set_version(made.get(), crl_version_2) != 1 ||
      X509_CRL_set_issuer_name(made.get(), X509_get_subject_name(issuer.certificate.get())) != 1 ||
      X509_CRL_set1_lastUpdate(made.get(), from.get()) != 1 ||
      X509_CRL_set1_nextUpdate(made.get(), until.get()) != 1 || !number_list(*made, list.number) ||
      !name_signer(*made, issuer.certificate.get()))
    return failed("a revocation list");
  for (const auto& one : list.revoked)
    if (!add_revoked(*made, one))
      return invalid_argument("'" + one.serial + "' is no serial number of a certificate");
  if (X509_CRL_sort(made.get()) != 1 ||
      X509_CRL_sign(made.get(), issuer.key.get(), EVP_sha256()) == 0)
    return failed("a revocation list");
  return to_pem(*made);
}

Result<RevocationList> read_revocation_list(std::string_view pem, std::string_view authority) {
  TROUPE_TRY(lists, parse_revocation_lists(pem));
  TROUPE_TRY(authorities, parse_certificates(authority));
  auto* list = lists.front().get();
  const bool ours = X509_CRL_verify(list, X509_get0_pubkey(authorities.front().get())) == 1;
  ERR_clear_error();
  if (!ours) return unusable("this authority has not signed it");
  RevocationList result;
  result.validity = {to_wall_time(X509_CRL_get0_lastUpdate(list)),
                     to_wall_time(X509_CRL_get0_nextUpdate(list))};
  const IntegerPtr number{
      static_cast<ASN1_INTEGER*>(X509_CRL_get_ext_d2i(list, NID_crl_number, nullptr, nullptr))};
  if (number) ASN1_INTEGER_get_uint64(&result.number, number.get());
  auto* revoked = X509_CRL_get_REVOKED(list);
  for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
    const auto* one = sk_X509_REVOKED_value(revoked, i);
    const BnPtr serial{ASN1_INTEGER_to_BN(X509_REVOKED_get0_serialNumber(one), nullptr)};
    char* hex = BN_bn2hex(serial.get());
    result.revoked.push_back({hex, to_wall_time(X509_REVOKED_get0_revocationDate(one))});
    OPENSSL_free(hex);
  }
  return result;
}

}  // namespace troupe::runtime
