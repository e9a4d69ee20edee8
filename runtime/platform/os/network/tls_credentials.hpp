// The Security of an operating system: credential files, read again when they change.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "runtime/platform/network.hpp"
#include "runtime/platform/os/network/tls_context.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

class TlsCredentials final : public Security {
 public:
  // The log outlives it.
  static Result<std::shared_ptr<TlsCredentials>> load(CredentialFiles files, Logger& log);

  std::string identity() const override;
  WallTime valid_until() const override;

  // What the next handshake uses. Looks whether a file was changed since it was looked at last.
  std::shared_ptr<TlsContext> context();

 private:
  // What tells one content of a file from another without reading it; zeros: not there.
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  using Stamps = std::array<Stamp, 4>;

  TlsCredentials(CredentialFiles files, Logger& log) : files_(std::move(files)), log_(log) {}
  Stamps look() const;
  void report(const TlsContext& context) const;

  const CredentialFiles files_;
  Logger& log_;
  mutable std::mutex mutex_;
  std::shared_ptr<TlsContext> current_;
  Stamps seen_;
};

}  // namespace troupe::runtime
