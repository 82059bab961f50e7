// A secret of the configuration: given as a value, or as a file that is read again for each request, so that it can be
// changed without a restart.
#pragma once

#include <sluice/cpp/config_view.hh>
#include <sluice/cpp/guard.hh>

#include <fstream>
#include <iterator>
#include <string>

namespace validation {

class Secret {
 public:
  Secret() = default;
  /// From `key` or `key_file`; throws sluice::BadConfig when both are given.
  Secret(const sluice::ConfigView& config, const std::string& key)
      : value_(config.text(key)), file_(config.text(key + "_file")) {
    if (!value_.empty() && !file_.empty()) throw sluice::BadConfig(key + ": give it, or " + key + "_file, not both");
  }
  [[nodiscard]] bool given() const noexcept { return !value_.empty() || !file_.empty(); }
  /// Throws sluice::Away when the file cannot be read: it may come back.
  [[nodiscard]] std::string value() const {
    if (file_.empty()) return value_;
    constexpr std::size_t kSecretBytesMax = 64 * 1024;
    std::ifstream in(file_, std::ios::binary);
    std::string text(kSecretBytesMax, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.pop_back();
    if (text.empty()) throw sluice::Away("the secret in " + file_ + " cannot be read");
    return text;
  }

 private:
  std::string value_, file_;
};

}  // namespace validation
