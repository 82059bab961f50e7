#include "core/timestamp.hh"

#include <algorithm>
#include <chrono>
#include <cstddef>

namespace sluice {

namespace {

constexpr bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') <= 9; }

/// Reads fixed-width numbers and separators; one wrong character makes it bad for good.
class Fields {
 public:
  explicit Fields(std::string_view text) : text_(text) {}

  int number(std::size_t digits) noexcept {
    if (text_.size() - at_ < digits) return fail();
    int value = 0;
    for (std::size_t end = at_ + digits; at_ < end; ++at_) {
      if (!is_digit(text_[at_])) return fail();
      value = value * 10 + (text_[at_] - '0');
    }
    return value;
  }
  bool take(char wanted) noexcept {
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted) noexcept {
    if (!take(wanted)) fail();
  }
  /// The digits of a fraction as nanoseconds.
  std::uint32_t fraction() noexcept {
    const std::size_t start = at_;
    std::uint32_t value = 0, unit = 100'000'000;
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_, unit /= 10) {
      value += static_cast<std::uint32_t>(text_[at_] - '0') * unit;
    }
    if (at_ == start) fail();
    return value;
  }
  [[nodiscard]] bool ended() const noexcept { return at_ == text_.size(); }
  [[nodiscard]] bool good() const noexcept { return good_; }
  int fail() noexcept {
    good_ = false;
    at_ = text_.size();
    return 0;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  bool good_ = true;
};

constexpr bool is_leap_year(int year) noexcept { return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0; }

constexpr int days_in_month(int year, int month) noexcept {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}

/// Days since 1970-01-01 in the Gregorian calendar, extended backwards. Years are counted from March, so that the leap
/// day comes last, and from 400 years before year 0, so that nothing is negative.
constexpr std::int64_t days_from_epoch(int year, int month, int day) noexcept {
  constexpr std::int32_t kEpoch = 719468 + 146097;  // 1970-01-01, counted from there
  const auto y = static_cast<std::uint32_t>(year + 400 - (month <= 2 ? 1 : 0));
  const auto months = static_cast<std::uint32_t>(month > 2 ? month - 3 : month + 9);
  const std::uint32_t days =
      365 * y + y / 4 - y / 100 + y / 400 + (153 * months + 2) / 5 + static_cast<unsigned>(day) - 1;
  return static_cast<std::int32_t>(days) - kEpoch;
}

/// True when the second starts the first day of a month, so that a leap second may stand before it.
bool starts_month(std::int64_t seconds) noexcept {
  if (seconds % 86400 != 0) return false;
  const std::chrono::sys_days day{std::chrono::days{seconds / 86400}};
  return std::chrono::year_month_day{day}.day() == std::chrono::day{1};
}

int read_offset_minutes(Fields& fields, Offset offset, bool& has_offset) noexcept {
  if (fields.take('Z') || fields.take('z')) return 0;
  const bool plus = fields.take('+');
  if (!plus && !fields.take('-')) {
    has_offset = false;
    if (offset == Offset::required || !fields.ended()) fields.fail();
    return 0;
  }
  const int hours = fields.number(2);
  fields.expect(':');
  const int minutes = fields.number(2);
  if (hours > 23 || minutes > 59) fields.fail();
  return plus ? hours * 60 + minutes : -(hours * 60 + minutes);
}

}  // namespace

std::optional<Instant> parse_timestamp(std::string_view text, Offset offset) noexcept {
  constexpr std::size_t kFixed = sizeof "2026-03-01T08:09:10" - 1;
  if (text.size() < kFixed) return std::nullopt;
  bool digits = true;
  const auto two = [&](std::size_t at) {
    digits = digits && is_digit(text[at]) && is_digit(text[at + 1]);
    return (text[at] - '0') * 10 + (text[at + 1] - '0');
  };
  const int year = two(0) * 100 + two(2), month = two(5), day = two(8);
  const int hour = two(11), minute = two(14), second = two(17);
  const bool separated = text[4] == '-' && text[7] == '-' && text[13] == ':' && text[16] == ':' &&
                         ((text[10] | 0x20) == 't' || (offset == Offset::optional && text[10] == ' '));
  if (!digits || !separated) return std::nullopt;

  Instant instant;
  Fields fields(text.substr(kFixed));
  if (fields.take('.')) instant.nanoseconds = fields.fraction();
  const int offset_minutes = read_offset_minutes(fields, offset, instant.has_offset);

  if (!fields.good() || !fields.ended()) return std::nullopt;
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  instant.seconds =
      days_from_epoch(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset_minutes * 60;
  if (second == 60 && !starts_month(instant.seconds)) return std::nullopt;
  return instant;
}

void write_timestamp(std::int64_t unix_ns, char* out) noexcept {
  using namespace std::chrono;
  const sys_time<milliseconds> earliest = sys_days{year{0} / 1 / 1};
  const sys_time<milliseconds> latest = sys_days{year{9999} / 12 / 31} + hours{24} - milliseconds{1};
  const auto instant = std::clamp(sys_time<milliseconds>(floor<milliseconds>(nanoseconds{unix_ns})), earliest, latest);
  const auto day = floor<days>(instant);
  const year_month_day date{day};
  const hh_mm_ss time{instant - day};
  const auto put = [&](unsigned value, int digits) {
    for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
    out += digits;
  };
  put(static_cast<unsigned>(static_cast<int>(date.year())), 4), *out++ = '-';
  put(static_cast<unsigned>(date.month()), 2), *out++ = '-';
  put(static_cast<unsigned>(date.day()), 2), *out++ = 'T';
  put(static_cast<unsigned>(time.hours().count()), 2), *out++ = ':';
  put(static_cast<unsigned>(time.minutes().count()), 2), *out++ = ':';
  put(static_cast<unsigned>(time.seconds().count()), 2), *out++ = '.';
  put(static_cast<unsigned>(time.subseconds().count()), 3), *out++ = 'Z';
}

}  // namespace sluice
