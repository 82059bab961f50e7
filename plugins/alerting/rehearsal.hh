// `sluice alert render`: the engine on the events' own time, and what it would send. Pure.
#pragma once

#include "groups.hh"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace alerting {

using Preview = std::function<std::string(const Message&)>;

class Rehearsal {
 public:
  explicit Rehearsal(Settings settings) : groups_(std::move(settings)) {}

  /// Time goes on to that of the event, then what it fired is taken. Returns what would have been sent by then.
  [[nodiscard]] std::string event(std::optional<std::int64_t> time_s, const std::vector<Occurrence>& fired,
                                  const Preview& preview);
  /// Until everything is told that is to be told.
  [[nodiscard]] std::string end(const Preview& preview);

 private:
  void advance(std::int64_t until_ms, bool only_news, const Preview& preview, std::string& out);

  Groups groups_;
  std::int64_t now_ms_ = 0;
  std::uint64_t events_ = 0, picked_ = 0, messages_ = 0;
};

/// What `sluice alert test` sends.
[[nodiscard]] Message test_text(std::int64_t now_ms);

}  // namespace alerting
