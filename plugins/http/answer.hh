// What the source says to a caller, and how a settlement becomes that. Pure: text in, text out.
#pragma once

#include <sluice/source.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice_http {

struct Answer {
  unsigned status = 202;
  std::string body;                 // JSON; empty = none
  std::uint32_t retry_after_s = 0;  // 0 = no such header
  bool close = false;               // end the connection after this answer
  std::string_view allow;           // header Allow; a literal
  std::string allowed_origin;       // header WebHook-Allowed-Origin
  std::string allowed_rate;         // header WebHook-Allowed-Rate
};

/// A refusal that says why, as {"error":"…","reason":"…"}. `error` is a stable word, `reason` is for people.
[[nodiscard]] Answer refusal(unsigned status, std::string_view error, std::string_view reason);

/// "Come back later": 503, or 429 for a caller who was too fast.
[[nodiscard]] Answer later(unsigned status, std::string_view error, std::string_view reason,
                           std::uint32_t retry_after_s);

/// The answer to a request whose record is final.
[[nodiscard]] Answer answer_to(const sluice_settlement& settlement, std::uint32_t retry_after_s);

/// Text as a JSON string, with quotes. Bytes that are not UTF-8 become U+FFFD: reasons quote what callers sent.
void append_json(std::string& out, std::string_view text);

}  // namespace sluice_http
