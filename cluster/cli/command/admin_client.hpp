// Asks a node on its admin address: one blocking HTTP/1.1 request per question.
//
// Threads: blocks the caller, at most for the timeout. Only for the command line.
#pragma once

#include <google/protobuf/message.h>

#include <string>

#include "config/address.hpp"
#include "config/units.hpp"
#include "runtime/result.hpp"

namespace troupe::cluster {

// Where a node that listens on `address` can be reached from this machine: wildcards become
// loopback.
config::Address reachable(const config::Address& address);

// The JSON at `path` ("/v1/status"), read into `answer`; fields that this version does not know are
// left out. Errors, each saying what to do:
//   UNAVAILABLE / NODE_UNREACHABLE         nobody listens there, or the name does not resolve
//   DEADLINE_EXCEEDED / NODE_SILENT        no answer within the timeout
//   FAILED_PRECONDITION / NOT_A_NODE       something else answers there
//   UNKNOWN / NODE_REFUSED                 it answers with an error of which it says nothing else
//   those of the node, see docs/errors/
Result<void> ask_node(const config::Address& address, const std::string& path,
                      config::Duration timeout, google::protobuf::Message& answer);

// The same for a POST of `body` as JSON.
Result<void> order_node(const config::Address& address, const std::string& path,
                        const google::protobuf::Message& body, config::Duration timeout,
                        google::protobuf::Message& answer);

}  // namespace troupe::cluster
