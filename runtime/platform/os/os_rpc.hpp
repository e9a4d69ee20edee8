// RpcServers by Debian's gRPC.
#pragma once

#include <memory>

#include "runtime/platform/network.hpp"
#include "runtime/platform/rpc.hpp"
#include "runtime/telemetry/log.hpp"

namespace troupe::runtime {

// `threads` for each server. Network and log outlive it and its servers.
std::unique_ptr<RpcServers> make_os_rpc(std::size_t threads, Network& network, Logger& log);

}  // namespace troupe::runtime
