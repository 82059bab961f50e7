// The host service "sluice.once_keys/1": a consumer asks which values of its source's `dedup.once` key were delivered,
// by whichever of the hosts that share the store (ext/once_keys.h). A connection of its own, made when it is first
// asked.
#pragma once

#include "core/config.hh"
#include "core/ports.hh"
#include "core/uuid.hh"

#include <sluice/ext/once_keys.h>

#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace sluice {

class OnceKeys {
 public:
  using MakeStore = std::function<std::unique_ptr<KeyStoreNode>()>;
  OnceKeys(const DedupPolicy::Once& once, MakeStore make);

  /// Any thread. recorded[i] becomes 1 when values[i] was delivered, be it a text or a number.
  [[nodiscard]] Status recorded(std::span<const sluice_str> values, std::uint8_t* recorded);

 private:
  std::mutex mutex_;
  const std::string space_;
  const MakeStore make_;
  NameHash hash_;
  std::unique_ptr<KeyStoreNode> store_;  // null until it was asked and answered
};

}  // namespace sluice
