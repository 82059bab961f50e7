// Steps that the tests of a spool share, before a backend and before an observer.
#pragma once

#include "rig.hh"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

/// "e3", "e4", …
inline std::vector<std::string> ids(int from, int to) {
  std::vector<std::string> out;
  for (int i = from; i < to; ++i) out.push_back("e" + std::to_string(i));
  return out;
}

inline void offer(FakeSource& in, int from, int to) {
  for (const std::string& id : ids(from, to)) in.offer(id);
}

/// How many events the source was told are delivered.
inline std::size_t delivered(const FakeSource& in) {
  return static_cast<std::size_t>(std::ranges::count(in.told, Outcome::delivered, &Told::outcome));
}

/// A disk that has no room for one kind of call.
inline SpoolFault refuse(std::string_view what, std::string_view refused) {
  return what == refused ? SpoolFault::no_room : SpoolFault::none;
}

}  // namespace sluice::test
