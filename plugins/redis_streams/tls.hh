// TLS for a connection whose client library can take one. OpenSSL checks the server's certificate and its name.
#pragma once

#include "address.hh"

struct ssl_st;  // OpenSSL's SSL

namespace redis_streams {

/// A TLS session for a connection that is there, not begun yet. Whoever gets it frees it, or gives it to the client
/// library, which does. Throws sluice::Away: a file cannot be read, which a person may mend while we run.
[[nodiscard]] ssl_st* new_tls_session(const TlsFiles& files, const Address& server);

}  // namespace redis_streams
