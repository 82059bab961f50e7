// What a transfer that ended without an answer means for its events: may the far side have them?
#pragma once

#include "reply.hh"

namespace sluice_http {

/// `code` is libcurl's; `request_left`: at least a part of the request went out.
[[nodiscard]] Failure failure_of(int code, bool request_left) noexcept;

}  // namespace sluice_http
