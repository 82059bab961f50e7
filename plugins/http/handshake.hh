// The webhook handshake, both ends: who may send here (OPTIONS answered), and whether a far side lets us send
// (OPTIONS asked). Pure. Rules: CloudEvents HTTP Webhooks 1.0.2, section 4. A callback URL is never called: it would
// let a stranger make this machine call any address.
#pragma once

#include "answer.hh"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice_http {

/// What a target grants. Empty `origins`: the handshake is off.
struct Consent {
  std::vector<std::string> origins;   // whole DNS names, or "*"
  std::uint64_t rate_per_minute = 0;  // 0 = no limit
  bool by_callback = false;           // a person grants, by calling the callback URL that the sender gave
};

/// DNS names compare whole and without case.
[[nodiscard]] bool allows(const Consent& consent, std::string_view origin) noexcept;

/// Answers OPTIONS; `origin` is the header WebHook-Request-Origin. A refusal is the absence of the two headers; the
/// requested rate does not matter, the own limit is told.
[[nodiscard]] Answer answer_handshake(const Consent& consent, std::string_view origin);

/// What a far side's answer to our OPTIONS means.
struct MaySend {
  bool granted = false;
  std::optional<std::uint64_t> rate_per_minute;  // nothing = as fast as we like
};

/// The headers are the consent; the status says nothing. Empty = the header is absent. `requested_rate` 0 = none asked.
[[nodiscard]] MaySend judge_consent(std::string_view own_origin, std::uint64_t requested_rate,
                                    std::string_view allowed_origin, std::string_view allowed_rate) noexcept;

}  // namespace sluice_http
