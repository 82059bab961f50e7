#include "aggregate_settings.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>

namespace metrics {
namespace {

constexpr std::int64_t kPanesMax = 60, kLatePanesMax = 240;
constexpr std::int64_t kLatenessMs = 5000, kAheadMs = 300'000;
constexpr std::uint32_t kFiguresMax = 990;  // of the 1,000 that the host gives a node; the others count

std::int64_t either(const sluice::ConfigView& config, const std::string& key, std::int64_t otherwise) {
  return config.has(key) ? config.integer(key) : otherwise;
}

std::string ms(std::int64_t value) { return std::to_string(value) + " ms"; }

void check_times(const sluice::ConfigView& config, const AggregateSettings& to) {
  if (to.window_ms % to.slide_ms != 0 || to.window_ms / to.slide_ms > kPanesMax) {
    throw sluice::BadConfig("slide: the window (" + ms(to.window_ms) + ") must be a multiple of it (" +
                            ms(to.slide_ms) + "), 60 times at most");
  }
  for (const char* key : {"lateness", "ahead_max"}) {
    if (!to.event_time && config.has(key)) {
      throw sluice::BadConfig(std::string(key) + ": only with 'time: event'; by the time of coming nothing is late");
    }
  }
  if (to.event_time && to.lateness_ms / to.slide_ms > kLatePanesMax) {
    throw sluice::BadConfig("lateness: at most " + std::to_string(kLatePanesMax) + " times the slide (" +
                            ms(to.slide_ms) + ")");
  }
  if (to.emit && to.emit->interval_ms % to.slide_ms != 0) {
    throw sluice::BadConfig("emit/interval: must be a multiple of the slide (" + ms(to.slide_ms) +
                            "): events come when a window ends");
  }
}

void read_label(const sluice::ConfigView& config, AggregateSettings& to) {
  if (!config.has("label")) return;
  to.label = {config.text("label/name"), config.text("label/from"),
              static_cast<std::uint32_t>(config.integer("label/values_max"))};
  for (const char* taken :
       {"node", "type", "field", "quantile", "start", "end", "seconds", "count", "rate", "fields"}) {
    if (to.label->name == taken) {
      throw sluice::BadConfig("label/name: '" + to.label->name + "' is what the figures themselves use");
    }
  }
}

void read_fields(const sluice::ConfigView& config, AggregateSettings& to) {
  for (std::uint32_t i = 0; i < config.count("fields"); ++i) {
    const std::string at = "fields/" + std::to_string(i);
    AggregateSettings::Field field{config.text(at + "/pointer"), config.text(at + "/pointer")};
    if (config.has(at + "/name")) field.name = config.text(at + "/name");
    for (const AggregateSettings::Field& other : to.fields) {
      if (other.name == field.name) throw sluice::BadConfig(at + ": two fields are named '" + field.name + "'");
    }
    to.fields.push_back(std::move(field));
  }
}

/// How many series the host has room to show, and that one label's values fit beside "other" and "".
void bound_series(AggregateSettings& to) {
  const std::uint32_t types = to.by_type ? to.types_max + 1 : 1;
  const std::uint32_t values = to.label ? to.label->values_max + 1 : 1;
  const std::uint32_t room = kFiguresMax / to.figures_per_series();
  to.series_max = std::min(types * values, room);
  const std::string why = " with " + std::to_string(to.figures_per_series()) +
                          " figures each are more than a node may show; at most " + std::to_string(room - 1);
  if (values > room) {
    throw sluice::BadConfig("label/values_max: " + std::to_string(values - 1) + " values" + why);
  }
  if (types > room) throw sluice::BadConfig("types_max: " + std::to_string(types - 1) + " types" + why);
}

}  // namespace

AggregateSettings settings_from(const sluice::ConfigView& config) {
  AggregateSettings made;
  made.window_ms = config.integer("window");
  made.slide_ms = either(config, "slide", made.window_ms);
  made.event_time = config.text("time") == "event";
  made.lateness_ms = made.event_time ? either(config, "lateness", kLatenessMs) : 0;
  made.ahead_max_ms = either(config, "ahead_max", kAheadMs);
  for (std::uint32_t i = 0; i < config.count("types"); ++i) {
    made.types.push_back(config.text("types/" + std::to_string(i)));
  }
  made.by_type = config.boolean("by_type");
  made.types_max = static_cast<std::uint32_t>(config.integer("types_max"));
  if (!made.types.empty()) made.types_max = static_cast<std::uint32_t>(made.types.size());
  made.memory = static_cast<std::uint64_t>(config.integer("memory"));
  if (config.has("emit")) {
    made.emit = {config.text("emit/type"), either(config, "emit/interval", made.slide_ms)};
  }
  for (std::uint32_t i = 0; i < config.count("quantiles"); ++i) {
    made.quantiles.push_back(config.number("quantiles/" + std::to_string(i)));
  }
  std::sort(made.quantiles.begin(), made.quantiles.end());
  check_times(config, made);
  read_label(config, made);
  read_fields(config, made);
  bound_series(made);
  return made;
}

}  // namespace metrics
