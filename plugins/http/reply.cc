#include "reply.hh"

#include "ascii.hh"

#include <sluice/ext/codes.h>
#include <sluice/cpp/http_binding.hh>

#include <algorithm>
#include <array>
#include <charconv>
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
  if (made.status == SLUICE_AGAIN) made.code = SLUICE_CODE_PERHAPS_DELIVERED;
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

/// Up to four digits and nothing else.
std::optional<int> number(std::string_view word) {
  int value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  const bool whole = error == std::errc() && end == word.data() + word.size() && word[0] != '-';
  if (!whole || word.size() > 4) return std::nullopt;
  return value;
}

/// Cuts text into its runs of letters and digits; says how many there are, 9 for more than fit.
std::size_t split(std::string_view text, std::array<std::string_view, 8>& words) {
  const auto in_word = [](char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); };
  std::size_t count = 0;
  while (!text.empty()) {
    const auto length = static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), in_word) - text.begin());
    if (length > 0 && count == words.size()) return count + 1;
    if (length > 0) words[count++] = text.substr(0, length);
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return count;
}

}  // namespace

std::optional<std::int64_t> http_date(std::string_view text) {
  std::array<std::string_view, 8> words;
  const std::size_t count = split(text, words);
  std::tm at{};
  std::optional<int> year, month, day, hour, minute, second;
  if (count == 8 && words[7] == "GMT") {  // Sun, 06 Nov 1994 08:49:37 GMT, or Sunday, 06-Nov-94 08:49:37 GMT
    day = number(words[1]), month = month_of(words[2]), year = number(words[3]);
    hour = number(words[4]), minute = number(words[5]), second = number(words[6]);
    if (year && words[3].size() == 2) *year += *year < 70 ? 2000 : 1900;
  } else if (count == 7) {  // Sun Nov  6 08:49:37 1994
    month = month_of(words[1]), day = number(words[2]), year = number(words[6]);
    hour = number(words[3]), minute = number(words[4]), second = number(words[5]);
  }
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (*day < 1 || *day > 31 || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  at.tm_year = *year - 1900, at.tm_mon = *month, at.tm_mday = *day;
  at.tm_hour = *hour, at.tm_min = *minute, at.tm_sec = *second;
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
