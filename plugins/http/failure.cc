#include "failure.hh"

#include <curl/curl.h>

namespace sluice_http {

Failure failure_of(int code, bool request_left) noexcept {
  switch (code) {
    case CURLE_OK:
    case CURLE_WRITE_ERROR:  // our own bound on the answer: the status has come
      return Failure::none;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ENGINE_NOTFOUND:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return Failure::unreachable;
    case CURLE_OPERATION_TIMEDOUT:
      return request_left ? Failure::timed_out : Failure::unreachable;
    default:
      return request_left ? Failure::broken : Failure::unreachable;
  }
}

}  // namespace sluice_http
