// What a far side's answer means for the events that were sent. Pure: the answer and the time in, a judgement out.
#pragma once

#include <sluice/backend.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sluice_http {

enum class Failure : std::uint8_t {
  none,         // an HTTP answer came
  unreachable,  // no connection: refused, unknown name, TLS not agreed. The request never left
  timed_out,    // the request was sent, the answer did not come in time
  broken,       // reset, cut off, or no HTTP
};

/// How one request ended. Views live as long as the call.
struct Reply {
  Failure failure = Failure::none;
  std::string_view error;  // the failure in words
  std::int32_t status = 0;
  std::string_view retry_after, date;  // headers
  std::string_view body;               // its beginning
};

struct Judgement {
  sluice_status status = SLUICE_OK;
  std::int32_t code = 0;
  std::chrono::milliseconds retry_after{0};
  std::string reason;
  bool gone = false;  // 410: this URL wants nothing any more
};

[[nodiscard]] constexpr bool delivered(const Reply& reply) noexcept {
  return reply.failure == Failure::none && reply.status >= 200 && reply.status < 300;
}

/// `now_unix_s` counts only where the answer has no Date of its own.
[[nodiscard]] Judgement judge(const Reply& reply, std::int64_t now_unix_s);

/// Retry-After is seconds or a date; at most one day is believed.
[[nodiscard]] std::chrono::milliseconds retry_after(std::string_view value, std::string_view date,
                                                    std::int64_t now_unix_s);

/// The three forms of RFC 9110: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
/// "Sun Nov  6 08:49:37 1994".
[[nodiscard]] std::optional<std::int64_t> http_date(std::string_view text);

}  // namespace sluice_http
