#include "cluster/cli/run_node.hpp"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "cluster/node.hpp"
#include "runtime/platform/os/os_platform.hpp"

namespace troupe::cluster {
namespace {

// Room for shards to hand over what they lead, before the gateway drains, and to commit what they
// proposed, after it has.
constexpr auto stop_grace = std::chrono::seconds{12};

runtime::OsOptions os_options(const config::Manifest& manifest, const std::string& name) {
  runtime::OsOptions options;
  options.node = name;
  switch (manifest.log.format) {
    case config::LogFormat::automatic:
      options.log_format = runtime::LogFormat::automatic;
      break;
    case config::LogFormat::text:
      options.log_format = runtime::LogFormat::text;
      break;
    case config::LogFormat::json:
      options.log_format = runtime::LogFormat::json;
      break;
  }
  options.log_level = static_cast<runtime::LogLevel>(manifest.log.level);
  options.scheduler = manifest.scheduler.policy == config::SchedulerPolicy::stealing
                          ? runtime::SchedulerPolicy::stealing
                          : runtime::SchedulerPolicy::sharing;
  options.scheduler_threads = manifest.scheduler.threads;
  return options;
}

void wait_for_signal(const sigset_t& signals, const std::function<void()>& each_second) {
  if (!each_second) {
    int which = 0;
    sigwait(&signals, &which);
    return;
  }
  constexpr timespec second{1, 0};
  while (sigtimedwait(&signals, nullptr, &second) < 0) each_second();
}

}  // namespace

int run_node(const config::Manifest& manifest, const std::string& name,
             const actors::ServiceRegistry& registry, const std::function<void()>& each_second) {
  // Blocked before any thread starts, so that every thread inherits it and sigwait gets them all.
  // SIGUSR1 is how the node's own threads say that it has stopped.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigset_t signals_and_done = signals;
  sigaddset(&signals_and_done, SIGUSR1);
  pthread_sigmask(SIG_BLOCK, &signals_and_done, nullptr);
  signal(SIGPIPE, SIG_IGN);

  const auto platform = runtime::make_os_platform(os_options(manifest, name));
  auto started = Node::start(*platform, manifest, name, registry);
  if (!started) {
    std::fprintf(stderr, "troupe: %s\n", started.error().describe().c_str());
    return 1;
  }
  std::unique_ptr<Node> node = *std::move(started);
  node->when_ready(
      [&log = platform->log(), name] { log.info("node.ready", "node " + name + " serves"); });

  wait_for_signal(signals, each_second);
  platform->log().info("node.stopping",
                       "node " + name + " finishes what is in flight; a second signal ends it");
  const pthread_t waiting = pthread_self();
  node->stop([waiting] { pthread_kill(waiting, SIGUSR1); });

  // The doors close one after the other.
  const int drains = manifest.find_node(name)->grpc ? 2 : 1;
  timespec limit{};
  limit.tv_sec =
      std::chrono::duration_cast<std::chrono::seconds>(
          stop_grace + drains * std::max(manifest.gateway.drain_timeout, config::Duration{0}))
          .count();
  if (sigtimedwait(&signals_and_done, nullptr, &limit) != SIGUSR1) {
    platform->log().error("node.stop_failed",
                          "node " + name + " was ended before it had stopped in good order");
    std::fflush(stderr);
    std::_Exit(1);
  }
  node.reset();
  platform->log().info("node.stopped", "node " + name + " has stopped");
  return 0;
}

}  // namespace troupe::cluster
