// What an error that Redis answers means for the event it answers. Pure.
#pragma once

#include <sluice/types.h>

#include <string>
#include <string_view>

namespace redis_streams {

struct Meaning {
  sluice_status status;  // AWAY: it says nothing about the event; AGAIN: it is about the event
  std::string reason;    // for people, with the cure where there is one
};

/// `error` is the answer's text without '-', e.g. "OOM command not allowed when used memory > 'maxmemory'."
[[nodiscard]] Meaning meaning_of(std::string_view error, std::string_view stream);

}  // namespace redis_streams
