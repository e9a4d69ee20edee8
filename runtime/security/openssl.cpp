#include "runtime/security/openssl.hpp"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <time.h>

#include <array>
#include <cstdio>
#include <ctime>

namespace troupe::runtime {
namespace {

using BioPtr = std::unique_ptr<BIO, FreedBy<BIO_free_all>>;

BioPtr reading(std::string_view text) {
  return BioPtr{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

std::string text_of(const BioPtr& bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

// OpenSSL would ask for it on the terminal.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

// Reads objects until there is none; what stands between them is text for people.
template <class Pointer, class Read>
Result<std::vector<Pointer>> parse_all(std::string_view pem, Read read, const char* what) {
  ERR_clear_error();
  const auto bio = reading(pem);
  std::vector<Pointer> found;
  while (auto* object = read(bio.get(), nullptr, &no_passphrase, nullptr))
    found.emplace_back(object);
  const auto error = ERR_peek_last_error();
  const bool at_end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  const auto said = take_openssl_error();
  if (!at_end) return unusable("it holds " + std::string{what} + " that cannot be read: " + said);
  if (found.empty()) return unusable("it holds no " + std::string{what} + " in PEM form");
  return found;
}

}  // namespace

Error unusable(std::string message) {
  return failed_precondition("CREDENTIALS_UNUSABLE", std::move(message));
}

std::string take_openssl_error() {
  const auto error = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(error);
  return reason != nullptr ? reason : "error " + std::to_string(error);
}

Result<std::vector<X509Ptr>> parse_certificates(std::string_view pem) {
  return parse_all<X509Ptr>(pem, &PEM_read_bio_X509, "certificate");
}

Result<std::vector<CrlPtr>> parse_revocation_lists(std::string_view pem) {
  return parse_all<CrlPtr>(pem, &PEM_read_bio_X509_CRL, "revocation list");
}

Result<KeyPtr> parse_key(std::string_view pem) {
  ERR_clear_error();
  const auto bio = reading(pem);
  KeyPtr key{PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr)};
  ERR_clear_error();  // might say more of the text than anyone should read
  if (!key) return unusable("it holds no private key in PEM form that is unencrypted");
  return key;
}

std::string to_pem(X509& certificate) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509(bio.get(), &certificate);
  return text_of(bio);
}

std::string to_pem(X509_CRL& list) {
  const BioPtr bio{BIO_new(BIO_s_mem())};
  PEM_write_bio_X509_CRL(bio.get(), &list);
  return text_of(bio);
}

std::string to_pem(EVP_PKEY& private_key) {
  const BioPtr bio{BIO_new(BIO_s_secmem())};
  PEM_write_bio_PrivateKey(bio.get(), &private_key, nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

Result<NodeIdentity> identity_of(const X509& certificate) {
  const auto foreign = [](const std::string& what) {
    return unauthenticated("IDENTITY_FOREIGN", "the certificate " + what);
  };
  const std::unique_ptr<GENERAL_NAMES, FreedBy<GENERAL_NAMES_free>> names{
      static_cast<GENERAL_NAMES*>(
          X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr))};
  std::vector<std::string> uris;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const auto* text = name->d.uniformResourceIdentifier;
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  if (uris.size() != 1)
    return foreign("has " + std::to_string(uris.size()) +
                   " URIs among its alternative names; a node's has one, "
                   "spiffe://CLUSTER/node/NAME");
  auto identity = NodeIdentity::parse(uris.front());
  if (!identity) return foreign("is no node's: " + identity.error().message);
  return identity;
}

std::string serial_of(const X509& certificate) {
  const std::unique_ptr<BIGNUM, FreedBy<BN_free>> number{
      ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr)};
  char* hex = BN_bn2hex(number.get());
  std::string text{hex};
  OPENSSL_free(hex);
  return text;
}

WallTime to_wall_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return WallTime::max();
  return std::chrono::time_point_cast<WallTime::duration>(
      std::chrono::sys_seconds{std::chrono::seconds{::timegm(&parts)}});
}

std::string to_text(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(seconds);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{seconds - day};
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u %02d:%02d:%02d UTC",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

}  // namespace troupe::runtime
