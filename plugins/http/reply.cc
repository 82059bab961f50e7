#include "reply.hh"

#include <sluice/cpp/http_binding.hh>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

namespace sluice_http {
namespace {

constexpr std::int64_t kRetryAfterMaxS = 24 * 3600;
constexpr std::size_t kQuotedBytes = 200;

/// The beginning of what the far side wrote, in one printable line.
std::string quoted(std::string_view body) {
  std::string out;
  for (const char c : body.substr(0, kQuotedBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7F) {
      out += c;
    } else if (!out.empty() && out.back() != ' ') {
      out += ' ';
    }
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

Judgement with(sluice_status status, const Reply& reply, std::string_view what) {
  Judgement made;
  made.status = status;
  made.code = reply.status;
  made.reason = "HTTP " + std::to_string(reply.status);
  if (!what.empty()) made.reason.append(", ").append(what);
  if (const std::string text = quoted(reply.body); !text.empty()) made.reason.append(": ").append(text);
  return made;
}

Judgement judge_failure(const Reply& reply) {
  Judgement made;
  // Unreachable says nothing about the event. The other two do: the request was out, and an attempt that did not count
  // would be repeated for ever against a receiver that breaks on it.
  made.status = reply.failure == Failure::unreachable ? SLUICE_AWAY : SLUICE_AGAIN;
  made.reason = reply.error;
  return made;
}

Judgement judge_client_error(const Reply& reply, std::int64_t now_unix_s) {
  switch (reply.status) {
    case 401:
    case 403:
      return with(SLUICE_AWAY, reply, "the far side refuses our credentials");
    case 408: {
      Judgement made = with(SLUICE_AGAIN, reply, {});
      made.retry_after = retry_after(reply.retry_after, reply.date, now_unix_s);
      return made;
    }
    case 410: {
      Judgement made = with(SLUICE_REJECTED, reply, "gone: this URL takes nothing any more");
      made.gone = true;
      return made;
    }
    case 429: {
      Judgement made = with(SLUICE_AWAY, reply, "too fast for the far side");
      made.retry_after = retry_after(reply.retry_after, reply.date, now_unix_s);
      return made;
    }
    default:
      return with(SLUICE_REJECTED, reply, {});
  }
}

std::optional<int> month_of(std::string_view name) {
  constexpr std::array<std::string_view, 12> names{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) return std::nullopt;
  return static_cast<int>(found - names.begin());
}

}  // namespace

std::optional<std::int64_t> http_date(std::string_view text) {
  const std::string line(text.substr(0, 64));
  char month[4] = "";
  std::tm at{};
  int year = 0;
  const int imf = std::sscanf(line.c_str(), "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d GMT", &at.tm_mday, month,
                              &year, &at.tm_hour, &at.tm_min, &at.tm_sec);
  if (imf != 6) {
    const int rfc850 = std::sscanf(line.c_str(), "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d GMT", &at.tm_mday, month,
                                   &year, &at.tm_hour, &at.tm_min, &at.tm_sec);
    if (rfc850 == 6) year += year < 70 ? 2000 : 1900;
    if (rfc850 != 6 && std::sscanf(line.c_str(), "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d", month, &at.tm_mday,
                                   &at.tm_hour, &at.tm_min, &at.tm_sec, &year) != 6) {
      return std::nullopt;
    }
  }
  const std::optional<int> number = month_of(month);
  if (!number || at.tm_mday < 1 || at.tm_mday > 31 || at.tm_hour > 23 || at.tm_min > 59 || at.tm_sec > 60) {
    return std::nullopt;
  }
  at.tm_mon = *number;
  at.tm_year = year - 1900;
  return static_cast<std::int64_t>(::timegm(&at));
}

std::chrono::milliseconds retry_after(std::string_view value, std::string_view date, std::int64_t now_unix_s) {
  value = sluice::http_binding::trimmed(value);
  if (value.empty()) return {};
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), seconds);
  if (error == std::errc::result_out_of_range) {
    seconds = kRetryAfterMaxS;
  } else if (error != std::errc() || end != value.data() + value.size()) {
    const std::optional<std::int64_t> at = http_date(value);
    if (!at) return {};
    // Against the far side's own clock where it tells it: clocks differ.
    seconds = *at - http_date(sluice::http_binding::trimmed(date)).value_or(now_unix_s);
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kRetryAfterMaxS));
}

Judgement judge(const Reply& reply, std::int64_t now_unix_s) {
  if (reply.failure != Failure::none) return judge_failure(reply);
  if (delivered(reply)) return {};
  if (reply.status >= 300 && reply.status < 400) {
    return with(SLUICE_REJECTED, reply, "a redirect, which is never followed: configure the new URL");
  }
  if (reply.status >= 400 && reply.status < 500) return judge_client_error(reply, now_unix_s);
  Judgement made = with(SLUICE_AGAIN, reply, {});
  made.retry_after = retry_after(reply.retry_after, reply.date, now_unix_s);
  return made;
}

}  // namespace sluice_http
