// A secret of the configuration: given as a value, or as a file that is read again for each message, so that it can be
// changed without a restart.
#pragma once

#include "alert.hh"

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/guard.hh>

#include <fstream>
#include <iterator>
#include <string>

namespace alerting {

class Secret {
 public:
  Secret() = default;
  /// From `key` or `key_file`; throws sluice::BadConfig when both are given.
  Secret(sluice::ConfigView config, const std::string& key)
      : value_(config.text(key)), file_(config.text(key + "_file")) {
    if (!value_.empty() && !file_.empty()) throw sluice::BadConfig(key + ": give it, or " + key + "_file, not both");
  }
  [[nodiscard]] bool given() const noexcept { return !value_.empty() || !file_.empty(); }
  /// Throws sluice::Away when the file cannot be read: it may come back.
  [[nodiscard]] std::string value() const {
    if (file_.empty()) return value_;
    std::ifstream in(file_, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(in), {}};
    if (!in.is_open() || text.empty()) throw sluice::Away("the secret in " + file_ + " cannot be read");
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    return text;
  }

  /// Another one when the secret has changed; 0 while its file cannot be read.
  [[nodiscard]] std::uint64_t print() const noexcept {
    try {
      return given() ? hash_of(value()) : 0;
    } catch (const std::exception&) {
      return 0;
    }
  }

 private:
  std::string value_, file_;
};

}  // namespace alerting
