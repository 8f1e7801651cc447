// Reaching a server step by step, so that a failing step can be told from the next: its name, its
// port, its handshake. For diagnosis only: nothing that a probe shows is trusted by anybody.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "broker/base/result.h"
#include "broker/crypto/x509.h"
#include "clients/sdk/connection.h"

namespace schakel::sdk {

struct HostAndPort {
  std::string host;  // without brackets
  std::string port;
};
// "host:port", "[v6]:port". Errors: FIELD_INVALID.
Result<HostAndPort> SplitAddress(const std::string& address);

// The addresses of a name, as text. Errors: NAME_UNKNOWN.
Result<std::vector<std::string>> ResolveName(const HostAndPort& server);

// Whether something accepts connections there. Errors: NAME_UNKNOWN, NOT_REACHABLE with what the
// system says.
Status ConnectOnce(const HostAndPort& server, std::chrono::milliseconds timeout);

// What a server showed in its handshake.
struct ServerShown {
  std::vector<crypto::Certificate> chain;  // leaf first
  std::vector<std::string> names;          // DNS names and addresses of the leaf
};
// One TLS handshake with the own certificate. The server's is not verified: the caller judges what
// it showed. Errors: TLS_FAILED when there was no handshake; those of reading the own files.
Result<ServerShown> ProbeHandshake(const ConnectionOptions& options);

// Whether one of the names stands for the host, as a TLS client decides: equal but for case, or a
// wildcard for its first label.
bool NamesHost(const std::vector<std::string>& names, const std::string& host);

}  // namespace schakel::sdk
