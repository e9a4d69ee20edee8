#include "runtime/platform/os/network/tls_credentials.hpp"

#include <sys/stat.h>

#include <chrono>

namespace troupe::runtime {
namespace {

WallTime wall_now() {
  return std::chrono::time_point_cast<WallTime::duration>(std::chrono::system_clock::now());
}

}  // namespace

Result<std::shared_ptr<TlsCredentials>> TlsCredentials::load(CredentialFiles files, Logger& log) {
  const std::shared_ptr<TlsCredentials> made{new TlsCredentials{std::move(files), log}};
  made->seen_ = made->look();
  TROUPE_TRY(context, TlsContext::read(made->files_));
  made->current_ = context;
  made->report(*context);
  struct stat key {};
  if (::stat(made->files_.key.c_str(), &key) == 0 && (key.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    log.warn("security.key_exposed",
             "other users of this machine can reach the node's key; chmod 600 it",
             {{"file", made->files_.key}});
  return made;
}

std::string TlsCredentials::identity() const {
  const std::lock_guard lock{mutex_};
  return files_.cluster.empty() ? std::string{} : current_->own().uri();
}

WallTime TlsCredentials::valid_until() const {
  const std::lock_guard lock{mutex_};
  return current_->validity().until;
}

std::shared_ptr<TlsContext> TlsCredentials::context() {
  const std::lock_guard lock{mutex_};
  const auto stamps = look();
  if (stamps == seen_) return current_;
  seen_ = stamps;
  auto context = TlsContext::read(files_);
  if (context && (*context)->own() != current_->own())
    context = unusable(files_.certificate + ": is the certificate of " + (*context)->own().uri() +
                       ", and this node is " + current_->own().uri());
  if (!context) {
    log_.error("security.reload_failed",
               "changed credentials cannot be used; those from before stay in use",
               {{"what", context.error().message}});
    return current_;
  }
  current_ = *std::move(context);
  log_.info("security.reloaded", "changed credentials are in use from now on",
            {{"identity", current_->name()},
             {"serial", current_->serial()},
             {"valid_until", to_text(current_->validity().until)}});
  report(*current_);
  return current_;
}

TlsCredentials::Stamps TlsCredentials::look() const {
  Stamps stamps;
  std::size_t next = 0;
  for (const auto* path : {&files_.authority, &files_.certificate, &files_.key, &files_.revoked}) {
    auto& stamp = stamps[next++];
    struct stat found {};
    if (path->empty() || ::stat(path->c_str(), &found) != 0) continue;
    stamp = {found.st_ino, found.st_size,
             std::int64_t{found.st_ctim.tv_sec} * 1'000'000'000 + found.st_ctim.tv_nsec};
  }
  return stamps;
}

// Says what will make peers refuse this node.
void TlsCredentials::report(const TlsContext& context) const {
  const auto tell = [&](std::string_view event, const char* what) {
    log_.error(event, what,
               {{"identity", context.name()},
                {"serial", context.serial()},
                {"valid_from", to_text(context.validity().from)},
                {"valid_until", to_text(context.validity().until)},
                {"file", files_.certificate}});
  };
  if (context.own_revoked())
    tell("security.certificate_revoked",
         "this node's certificate is revoked: peers refuse it; make another one");
  const auto now = wall_now();
  if (now >= context.validity().until)
    tell("security.certificate_expired",
         "this node's certificate has expired: peers refuse it; renew it (`troupe certs renew` "
         "does that "
         "for links)");
  if (now < context.validity().from)
    tell("security.certificate_not_yet_valid",
         "this node's certificate is not valid yet: peers refuse it; look at this machine's clock");
}

}  // namespace troupe::runtime
