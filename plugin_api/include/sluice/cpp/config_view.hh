// A node's configuration with C++ types. Valid until the node's constructor returns: copy what is needed later.
#pragma once

#include "../config.h"
#include "text.hh"

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

class ConfigView {
 public:
  explicit ConfigView(const sluice_config& config) noexcept : config_(&config) {}

  [[nodiscard]] std::string text(const std::string& path) const { return config_->text(config_, path.c_str()); }
  [[nodiscard]] std::int64_t integer(const std::string& path) const { return config_->integer(config_, path.c_str()); }
  [[nodiscard]] double number(const std::string& path) const { return config_->number(config_, path.c_str()); }
  [[nodiscard]] bool boolean(const std::string& path) const { return integer(path) != 0; }
  [[nodiscard]] std::chrono::milliseconds duration(const std::string& path) const {
    return std::chrono::milliseconds(integer(path));
  }
  [[nodiscard]] bool has(const std::string& path) const { return config_->has(config_, path.c_str()) != 0; }
  [[nodiscard]] std::uint32_t count(const std::string& path) const { return config_->count(config_, path.c_str()); }
  /// A list of texts; a single text counts as a list of one.
  [[nodiscard]] std::vector<std::string> texts(const std::string& path) const {
    std::vector<std::string> out;
    const std::uint32_t members = count(path);
    for (std::uint32_t i = 0; i < members; ++i) out.push_back(text(path + "/" + std::to_string(i)));
    if (members == 0 && has(path) && !text(path).empty()) out.push_back(text(path));
    return out;
  }
  /// A map from name to text, in the order of the file.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> map(const std::string& path) const {
    std::vector<std::pair<std::string, std::string>> out;
    const std::uint32_t members = count(path);
    for (std::uint32_t i = 0; i < members; ++i) {
      const std::string key = config_->name(config_, path.c_str(), i);
      out.emplace_back(key, text(path + "/" + escaped(key)));
    }
    return out;
  }
  [[nodiscard]] std::string_view json() const noexcept { return view(config_->json); }

 private:
  static std::string escaped(const std::string& key) {
    std::string out;
    for (const char c : key) {
      if (c == '~')
        out += "~0";
      else if (c == '/')
        out += "~1";
      else
        out += c;
    }
    return out;
  }
  const sluice_config* config_;
};

}  // namespace sluice
