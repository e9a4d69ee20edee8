#include "cluster/cli/command/certificate_folder.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "cluster/cli/command/text_file.hpp"

namespace troupe::cluster {
namespace {

constexpr unsigned key_mode = 0600;
constexpr unsigned open_mode = 0644;
constexpr const char* ending = ".pem";

Told<runtime::CertificateInfo> read_info(const std::string& file) {
  const auto text = read_text_file(file, "a certificate");
  if (!text) return tl::make_unexpected(text.error());
  auto info = runtime::read_certificate(*text);
  if (!info) return tl::make_unexpected(about_file(file, info.error()));
  return *std::move(info);
}

}  // namespace

std::string about_file(const std::string& file, const Error& error) {
  return file + ": " + error.message;
}

Told<runtime::KeyPair> CertificateFolder::authority(bool with_key) const {
  const auto certificate = read_text_file(authority_file(), "a certificate");
  if (!certificate)
    return tl::make_unexpected(certificate.error() +
                               "; `troupe certs init` makes an authority, --dir says where it is");
  if (!with_key) return runtime::KeyPair{*certificate, ""};
  const auto key = read_text_file(authority_key_file(), "a key");
  if (!key)
    return tl::make_unexpected(key.error() +
                               "; certificates are made where the authority's key is");
  return runtime::KeyPair{*certificate, *key};
}

Told<runtime::CertificateInfo> CertificateFolder::authority_info() const {
  const auto pair = authority(false);
  if (!pair) return tl::make_unexpected(pair.error());
  return read_info(authority_file());
}

Told<runtime::RevocationList> CertificateFolder::revoked() const {
  const auto pair = authority(false);
  if (!pair) return tl::make_unexpected(pair.error());
  const auto text = read_text_file(revoked_file(), "a list of revoked certificates");
  if (!text) return tl::make_unexpected(text.error());
  auto list = runtime::read_revocation_list(*text, pair->certificate);
  if (!list) return tl::make_unexpected(about_file(revoked_file(), list.error()));
  return *std::move(list);
}

std::vector<std::string> CertificateFolder::nodes() const {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator{path_ + "/nodes", ignored})
    if (entry.path().extension() == ending) names.push_back(entry.path().stem().string());
  std::sort(names.begin(), names.end());
  return names;
}

Told<runtime::CertificateInfo> CertificateFolder::node(const std::string& name) const {
  return read_info(node_file(name));
}

std::string CertificateFolder::make_folders() const {
  std::error_code error;
  std::filesystem::create_directories(path_ + "/nodes", error);
  return error ? "cannot make the folder " + path_ + "/nodes: " + error.message() : "";
}

std::string CertificateFolder::write_key(const std::string& file, const std::string& pem) const {
  return write_text_file(file, pem, key_mode);
}

std::string CertificateFolder::write_open(const std::string& file, const std::string& pem) const {
  return write_text_file(file, pem, open_mode);
}

std::string CertificateFolder::write_revoked(const runtime::KeyPair& authority,
                                             const runtime::RevocationList& list) const {
  const auto made = runtime::make_revocation_list(authority, list);
  return made ? write_open(revoked_file(), *made) : about_file(revoked_file(), made.error());
}

}  // namespace troupe::cluster
