// What a schema registry answers, read; and a schema with the schemas that it refers to, put into one document. Pure.
#pragma once

#include "json_tree.hh"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace validation {

enum class FetchFailure : std::uint8_t { none, not_found, denied, away, slow, bad_answer, bad_schema };
inline constexpr std::size_t kFetchFailures = 7;
[[nodiscard]] const char* word_of(FetchFailure failure) noexcept;

/// Whether it says something about the registry, not about the schema: it may be otherwise in a moment.
[[nodiscard]] constexpr bool may_pass(FetchFailure failure) noexcept {
  return failure != FetchFailure::not_found && failure != FetchFailure::bad_schema;
}

struct FetchError {
  FetchFailure failure = FetchFailure::none;
  std::string why;
};

struct HttpReply {
  int status = 0;  // 0: there was none, see error
  std::string body, error;
  bool timed_out = false;
};

/// A schema with everything it refers to, ready to be compiled.
struct FetchedSchema {
  std::string subject;  // empty when it was asked for by its id
  std::uint32_t id = 0;
  std::uint32_t version = 0;  // 0: not said
  std::string text;
};

/// As a reason calls it: the subject and its version, or the id.
[[nodiscard]] std::string name_of(const FetchedSchema& fetched, std::string_view path);

/// Asks for `path` by `get`, then for what it refers to. Throws FetchError. Bounds: 64 referred schemas, 16 in a row,
/// and 1 MiB in all.
[[nodiscard]] FetchedSchema fetch_schema(const std::string& path,
                                         const std::function<HttpReply(const std::string&)>& get);

/// The level in an answer of /config; empty when it holds none.
[[nodiscard]] std::string compatibility_in(std::string_view body);

}  // namespace validation
