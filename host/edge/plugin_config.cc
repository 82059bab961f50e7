#include "edge/plugin_config.hh"

#include "core/setup_error.hh"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <deque>
#include <limits>
#include <nlohmann/json.hpp>

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPathBytesMax = 4096;
constexpr std::size_t kStoredTextsMax = 100'000;  // answers that had to be written first; a plugin asks a few times

}  // namespace

struct PluginConfig::State : sluice_config {
  std::string json_text;
  Json root;
  mutable std::deque<std::string> answers;

  static const State& self(const sluice_config* table) { return *static_cast<const State*>(table); }

  /// The value at "retry/codes/0"; null when there is none. Keys are unescaped as in RFC 6901.
  [[nodiscard]] const Json* at(const char* path) const noexcept {
    try {
      if (path == nullptr || std::strlen(path) > kPathBytesMax) return nullptr;
      if (*path == 0) return &root;
      const Json::json_pointer pointer("/" + std::string(path));
      return root.contains(pointer) ? &root.at(pointer) : nullptr;
    } catch (const std::exception&) {  // "~2", "/01": not a path, so nothing is there
      return nullptr;
    }
  }

  const char* keep(std::string answer) const noexcept {
    if (answers.size() >= kStoredTextsMax) return "";
    return answers.emplace_back(std::move(answer)).c_str();
  }
};

namespace {

std::int64_t to_integer(double number) noexcept {
  constexpr double kEdge = 9.2233720368547758e18;
  if (std::isnan(number)) return 0;
  if (number >= kEdge) return std::numeric_limits<std::int64_t>::max();
  if (number <= -kEdge) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(number);
}

}  // namespace

PluginConfig::PluginConfig(std::string json) : state_(std::make_unique<State>()) {
  state_->json_text = std::move(json);
  try {
    state_->root = Json::parse(state_->json_text.empty() ? "{}" : state_->json_text);
  } catch (const std::exception& e) {
    throw SetupError(std::string("internal: a node's configuration is not JSON: ") + e.what());
  }
  sluice_config& table = *state_;
  table.size = sizeof table;
  table.json = {state_->json_text.data(), state_->json_text.size()};
  table.text = [](const sluice_config* config, const char* path) {
    const Json* value = State::self(config).at(path);
    if (value == nullptr || value->is_null() || value->is_structured()) return "";
    if (value->is_string()) return value->get_ref<const std::string&>().c_str();
    return State::self(config).keep(value->dump());
  };
  table.integer = [](const sluice_config* config, const char* path) -> std::int64_t {
    const Json* value = State::self(config).at(path);
    if (value == nullptr) return 0;
    if (value->is_boolean()) return value->get<bool>() ? 1 : 0;
    if (value->is_number_float()) return to_integer(value->get<double>());
    if (value->is_number_unsigned()) {
      constexpr std::uint64_t kMax = std::numeric_limits<std::int64_t>::max();
      return static_cast<std::int64_t>(std::min(value->get<std::uint64_t>(), kMax));
    }
    return value->is_number() ? value->get<std::int64_t>() : 0;
  };
  table.number = [](const sluice_config* config, const char* path) {
    const Json* value = State::self(config).at(path);
    return value != nullptr && value->is_number() ? value->get<double>() : 0.0;
  };
  table.count = [](const sluice_config* config, const char* path) -> std::uint32_t {
    const Json* value = State::self(config).at(path);
    return value != nullptr && value->is_structured() ? static_cast<std::uint32_t>(value->size()) : 0;
  };
  table.name = [](const sluice_config* config, const char* path, std::uint32_t i) {
    const Json* value = State::self(config).at(path);
    if (value == nullptr || !value->is_object() || i >= value->size()) return "";
    return std::next(value->begin(), i).key().c_str();
  };
  table.has = [](const sluice_config* config, const char* path) {
    const Json* value = State::self(config).at(path);
    return value != nullptr && !value->is_null() ? 1 : 0;
  };
}

PluginConfig::~PluginConfig() = default;

const sluice_config& PluginConfig::table() const noexcept { return *state_; }

}  // namespace sluice
