// The folder of files that `troupe certs` keeps (certs.hpp says which). What cannot be done is a
// sentence with the name of the file.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "runtime/security/certificates.hpp"

namespace troupe::cluster {

template <class T>
using Told = tl::expected<T, std::string>;

class CertificateFolder {
 public:
  explicit CertificateFolder(std::string path) : path_(std::move(path)) {}

  std::string authority_file() const { return path_ + "/authority.pem"; }
  std::string authority_key_file() const { return path_ + "/authority.key"; }
  std::string revoked_file() const { return path_ + "/revoked.pem"; }
  std::string node_file(const std::string& name) const { return path_ + "/nodes/" + name + ".pem"; }
  std::string node_key_file(const std::string& name) const {
    return path_ + "/nodes/" + name + ".key";
  }

  // The authority's pair; the key is left out where it is not needed.
  Told<runtime::KeyPair> authority(bool with_key) const;
  Told<runtime::CertificateInfo> authority_info() const;
  Told<runtime::RevocationList> revoked() const;
  // Names of the nodes that have a certificate, sorted.
  std::vector<std::string> nodes() const;
  Told<runtime::CertificateInfo> node(const std::string& name) const;

  // Empty, or what went wrong.
  std::string make_folders() const;
  std::string write_key(const std::string& file, const std::string& pem) const;
  std::string write_open(const std::string& file, const std::string& pem) const;
  // Signs the list and puts it in the place of the one before.
  std::string write_revoked(const runtime::KeyPair& authority,
                            const runtime::RevocationList& list) const;

 private:
  std::string path_;
};

// What the library of certificates says, with the file that it is about.
std::string about_file(const std::string& file, const Error& error);

}  // namespace troupe::cluster
