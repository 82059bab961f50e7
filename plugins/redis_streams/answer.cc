#include "answer.hh"

#include <array>

namespace redis_streams {
namespace {

struct Known {
  std::string_view front;
  std::string_view cure;
};

// None of these is about one event: the next one would fare the same, and all of them when the cause is gone.
constexpr std::array kAway = {
    Known{"OOM ", "the server's maxmemory is reached"},
    Known{"LOADING ", ""},
    Known{"READONLY ", "this server is a replica: give the address of the primary"},
    Known{"MASTERDOWN ", ""},
    Known{"NOREPLICAS ", ""},
    Known{"MISCONF ", "the server cannot save to its disk"},
    Known{"CLUSTERDOWN ", ""},
    Known{"TRYAGAIN ", ""},
    Known{"BUSY ", "a script is running on the server"},
    Known{"NOAUTH ", "the url needs a password"},
    Known{"WRONGPASS ", "check user and password in the url"},
    Known{"NOPERM ",
          "the user may not do this: a backend needs +xadd +xtrim +time, a source +@stream +time +info, and the "
          "stream's key"},
    Known{"WRONGTYPE ", "the key is there, but it is no stream: give the stream another name, or remove the key"},
    Known{"MOVED ",
          "a Redis cluster keeps this stream on another server: redirects are not followed, so give that "
          "server's address"},
    Known{"ASK ", "a Redis cluster is moving this stream: redirects are not followed"},
    Known{"ERR unknown command", "streams need Redis 5.0 or newer"},
    Known{"ERR max number of clients", ""},
    Known{"ERR invalid password", "check the password in the url"},
    Known{"ERR operation not permitted", "the url needs a password"},
    Known{"ERR AUTH ", "the server has no password, but the url has one"},
    Known{"ERR Client sent AUTH", "the server has no password, but the url has one"},
    Known{"ERR DB index", "check the database number in the url"},
    Known{"ERR invalid DB index", "check the database number in the url"},
    Known{"ERR SELECT is not allowed", "a Redis cluster has only database 0"},
};

}  // namespace

Meaning meaning_of(std::string_view error, std::string_view stream) {
  std::string reason(error);
  if (!stream.empty()) reason += " (stream '" + std::string(stream) + "')";
  for (const Known& known : kAway) {
    if (!error.starts_with(known.front)) continue;
    if (!known.cure.empty()) reason += ": " + std::string(known.cure);
    return {SLUICE_AWAY, std::move(reason)};
  }
  return {SLUICE_AGAIN, std::move(reason)};
}

}  // namespace redis_streams
