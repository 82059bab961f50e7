// What a schema registry is asked for, as the path of the request: it is also what the cache knows a schema by.
#pragma once

#include <sluice/cpp/url_text.hh>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace validation {

using sluice::append_path_step;

/// Replaces what is in `out`, so that its memory is used again.
inline void id_path(std::string& out, std::uint32_t id) {
  char digits[10];
  const auto end = std::to_chars(digits, digits + sizeof digits, id).ptr;
  out.assign("/schemas/ids/").append(digits, end);
}

inline void subject_path(std::string& out, std::string_view subject, std::string_view version) {
  out.assign("/subjects/");
  append_path_step(out, subject);
  out.append("/versions/").append(version);
}

/// A version as the registry takes it: a number from 1, or latest.
[[nodiscard]] inline bool is_version(std::string_view text) noexcept {
  if (text == "latest") return true;
  std::int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() && number > 0 && text.front() != '0';
}

/// The path of a dataschema that lies in the registry at `base`: BASE/schemas/ids/7, BASE/subjects/S/versions/V, each
/// also with /schema behind it. False when it names something else.
[[nodiscard]] inline bool path_in_registry(std::string& out, std::string_view base, std::string_view dataschema) {
  if (!dataschema.starts_with(base)) return false;
  std::string_view path = dataschema.substr(base.size());
  if (path.ends_with("/schema")) path.remove_suffix(sizeof("/schema") - 1);
  const std::size_t last = path.rfind('/');
  if (last == std::string_view::npos || !is_version(path.substr(last + 1))) return false;
  const bool by_id = path.substr(0, last) == "/schemas/ids" && path.substr(last + 1) != "latest";
  constexpr std::string_view kSubjects = "/subjects/", kVersions = "/versions";
  const std::string_view front = path.substr(0, last);
  const bool by_subject =
      front.size() > kSubjects.size() + kVersions.size() && front.starts_with(kSubjects) &&
      front.ends_with(kVersions) &&
      front.substr(kSubjects.size(), front.size() - kSubjects.size() - kVersions.size()).find_first_of("/?#") ==
          std::string_view::npos;
  if (!by_id && !by_subject) return false;
  out.assign(path);
  return true;
}

}  // namespace validation
