#include "aggregate.hh"

#include <sluice/cpp/writer_view.hh>

#include <algorithm>
#include <chrono>

namespace metrics {
namespace {

constexpr std::int64_t kMs = 1'000'000;
constexpr std::uint32_t kLookAgainMs = 1000;

std::int64_t unix_now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::vector<std::string> pointers_of(const AggregateSettings& settings) {
  std::vector<std::string> all;
  for (const AggregateSettings::Field& field : settings.fields) all.push_back(field.pointer);
  return all;
}

bool reads_data(const AggregateSettings& settings) { return settings.label && settings.label->from.starts_with('/'); }

Windows::Shape shape_of(const AggregateSettings& settings) {
  const auto panes = [&](std::int64_t ms) {
    return static_cast<std::uint32_t>((ms + settings.slide_ms - 1) / settings.slide_ms);
  };
  return {settings.slide_ms * kMs, panes(settings.window_ms), panes(settings.lateness_ms),
          static_cast<std::uint32_t>(settings.fields.size()), settings.memory};
}

void set_count(sluice_cell* cell, std::uint64_t count) {
  if (cell != nullptr) __atomic_store_n(&cell->count, count, __ATOMIC_RELAXED);
}

}  // namespace

Aggregate::Aggregate(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      settings_(settings_from(config)),
      label_from_data_(reads_data(settings_)),
      reader_(pointers_of(settings_), label_from_data_ ? settings_.label->from : std::string()),
      windows_(shape_of(settings_)),
      on_closed_([this](const Windows::Closed& window) { close(window); }),
      types_(settings_.types_max),
      labels_(settings_.label ? settings_.label->values_max : 0),
      numbers_((std::size_t{types_.max()} + 1) * (std::size_t{labels_.max()} + 1)),
      values_(settings_.fields.size()),
      quantiles_(settings_.quantiles.size()),
      wanted_((1u << settings_.fields.size()) - 1),
      origin_ns_(settings_.event_time ? 0 : static_cast<std::int64_t>(host.now_ns())),
      unix_offset_ns_(unix_now_ns() - static_cast<std::int64_t>(host.now_ns())) {
  for (const double share : settings_.quantiles) quantile_names_.push_back(quantile_name(share));
  if (!settings_.event_time) windows_.begin(0);
  idle_since_ns_ = static_cast<std::int64_t>(host.now_ns());
  const auto counter = [&](const char* name, const char* help) { return host_.cell(SLUICE_COUNTER, name, help); };
  late_cell_ = counter("window_late_events_total", "Events whose windows were closed already.");
  unusable_cell_ = counter("window_untimed_events_total", "Events without a time, or with one too far ahead.");
  other_cell_ = counter("window_other_total", "Events counted as other: more types or label values than there may be.");
  lost_cell_ = counter("window_events_lost_total", "Window events that found no room on their way out.");
  unsketched_cell_ =
      counter("window_unsketched_values_total", "Values left out of percentiles: their memory is used up.");
}

bool Aggregate::is_wanted(std::string_view type) const {
  return settings_.types.empty() || std::any_of(settings_.types.begin(), settings_.types.end(),
                                                [&](const std::string& one) { return one == type; });
}

std::string_view Aggregate::attribute_label(sluice::EventView event) const {
  const std::string& name = settings_.label->from;
  if (name == "source") return event.source();
  if (name == "type") return event.type();
  if (name == "subject") return event.subject();
  if (name == "dataschema") return event.dataschema();
  if (name == "datacontenttype") return event.datacontenttype();
  return event.extension(name).value_or(std::string_view());
}

std::optional<std::int64_t> Aggregate::time_of(sluice::EventView event, std::int64_t now_ns) {
  if (!settings_.event_time) return clock_of(static_cast<std::uint64_t>(now_ns));
  const auto seconds = event.time_seconds();
  constexpr std::int64_t kSecondsMax = INT64_MAX / 1'000'000'000 - 1;
  if (!seconds || *seconds > kSecondsMax || *seconds < -kSecondsMax) {
    ++timeless_;
    tell_once(time_told_, "an event has no time that a window could be found by; such events are left out and counted");
    return std::nullopt;
  }
  const std::int64_t time_ns = *seconds * 1'000'000'000 + event.raw().time_ns;
  if (time_ns > now_ns + unix_offset_ns_ + settings_.ahead_max_ms * kMs) {
    ++ahead_;
    tell_once(time_told_, "an event's time lies further ahead than ahead_max; such events are left out and counted");
    return std::nullopt;
  }
  idle_since_ns_ = now_ns;
  if (time_ns > newest_ns_) {
    newest_ns_ = time_ns;
    advance(newest_ns_ - settings_.lateness_ms * kMs);
  }
  return time_ns;
}

sluice_status Aggregate::process(sluice::BatchView batch, std::uint8_t*, sluice_writer* out, sluice_error&) {
  const auto now_ns = static_cast<std::int64_t>(host_.now_ns());
  if (!settings_.event_time) advance(clock_of(static_cast<std::uint64_t>(now_ns)));
  for (const sluice::EventView event : batch) {
    if (is_wanted(event.type())) take(event, now_ns);
  }
  hand_over(out);
  show_counts();
  return SLUICE_OK;
}

void Aggregate::take(sluice::EventView event, std::int64_t now_ns) {
  const auto time_ns = time_of(event, now_ns);
  if (!time_ns) return;
  const auto slot = windows_.slot_of(*time_ns);
  if (!slot) {
    ++late_;
    return;
  }
  std::string_view label;
  if (wanted_ != 0 || label_from_data_) label = reader_.read(event, wanted_, values_);
  if (settings_.label && !label_from_data_) label = attribute_label(event);
  const std::uint32_t series = series_of(settings_.by_type ? types_.number_of(event.type()) : Names::kOther,
                                         settings_.label ? labels_.number_of(label) : Names::kOther);
  windows_.count(*slot, series);
  for (std::uint32_t i = 0; i < values_.size(); ++i) {
    if (!values_[i]) continue;
    if (!windows_.add(*slot, series, i, *values_[i])) {
      ++unsketched_;
      tell_once(unsketched_told_, "memory: used up; values that need more are left out of the percentiles and counted");
    }
    values_[i].reset();
  }
}

std::uint32_t Aggregate::series_of(std::uint32_t type, std::uint32_t label) {
  std::uint16_t& number = numbers_[std::size_t{type} * (labels_.max() + 1) + label];
  if (number == 0) {
    const bool is_other = type == Names::kOther && label == Names::kOther;
    // One place is kept for what finds none, unless there is one for everything.
    const std::size_t kept = numbers_[0] == 0 ? 1 : 0;
    if (!is_other && settings_.series_max < numbers_.size() && series_.size() + kept >= settings_.series_max) {
      ++unplaced_;
      return series_of(Names::kOther, Names::kOther);
    }
    make_series(type, label);
    number = static_cast<std::uint16_t>(series_.size());
  }
  return number - 1u;
}

void Aggregate::make_series(std::uint32_t type, std::uint32_t label) {
  Labels labels;
  if (settings_.by_type) labels.emplace_back("type", types_.text(type));
  if (settings_.label) labels.emplace_back(settings_.label->name, labels_.text(label));
  std::vector<std::string_view> fields;
  for (const AggregateSettings::Field& field : settings_.fields) fields.emplace_back(field.name);
  series_.push_back({type, label, WindowCells(host_, labels, fields, settings_.quantiles)});
  windows_.add_series();
}

void Aggregate::advance(std::int64_t time_ns) { windows_.advance(time_ns, on_closed_); }

void Aggregate::close(const Windows::Closed& window) {
  ++closed_;
  const bool emits = settings_.emit && window.end_ns() / kMs % settings_.emit->interval_ms == 0;
  for (std::uint32_t number = 0; number < window.series(); ++number) close_series(window, number, emits);
}

void Aggregate::close_series(const Windows::Closed& window, std::uint32_t number, bool emits) {
  Series& series = series_[number];
  const std::uint64_t count = window.count(number);
  if (count == 0 && !series.is_shown) return;
  series.is_shown = count > 0;
  const std::int64_t unix_ns = settings_.event_time ? 0 : origin_ns_ + unix_offset_ns_;
  std::string event;
  if (emits && count > 0) {
    event = event_head({host_.node(), settings_.emit->type, window.start_ns() + unix_ns, window.end_ns() + unix_ns,
                        settings_.by_type ? &types_.text(series.type) : nullptr,
                        settings_.label ? std::string_view(settings_.label->name) : std::string_view(),
                        settings_.label ? std::string_view(labels_.text(series.label)) : std::string_view(), count});
  }
  series.cells.show(count, static_cast<double>(windows_.length_ns()) / 1e9);
  for (std::uint32_t i = 0; i < settings_.fields.size(); ++i) {
    const Figures figures = window.figures(number, i);
    window.quantiles(number, i, settings_.quantiles, quantiles_);
    series.cells.show_field(i, figures, quantiles_);
    if (!event.empty()) append_field(event, i == 0, settings_.fields[i].name, figures, quantile_names_, quantiles_);
  }
  if (event.empty()) return;
  append_end(event);
  keep(std::move(event));
}

void Aggregate::keep(std::string event) {
  if (waiting_.size() < kWaitingMax) {
    waiting_.push_back(std::move(event));
    return;
  }
  ++lost_;
  tell_once(lost_told_, "windows close faster than their events can leave; what finds no room is lost and counted");
}

/// Nothing caused these events, so nobody's outcome depends on them.
void Aggregate::hand_over(sluice_writer* out) {
  if (out == nullptr) return;
  sluice::WriterView writer(*out);
  while (!waiting_.empty() && writer.emit(waiting_.front(), SLUICE_NO_PARENT)) waiting_.pop_front();
}

std::uint32_t Aggregate::tick(std::uint64_t now_ns, sluice_writer* out) {
  const auto now = static_cast<std::int64_t>(now_ns);
  const std::int64_t slide_ns = settings_.slide_ms * kMs;
  if (!settings_.event_time) {
    advance(clock_of(now_ns));
  } else if (windows_.held() > 0 && now - idle_since_ns_ >= windows_.length_ns() + settings_.lateness_ms * kMs) {
    // Nothing comes any more: what could have been late is so now.
    idle_since_ns_ = now;
    advance(newest_ns_ - newest_ns_ % slide_ns + slide_ns);
  }
  hand_over(out);
  show_counts();
  if (!waiting_.empty()) return 1;
  if (settings_.event_time) return kLookAgainMs;
  const std::int64_t rest_ns = slide_ns - clock_of(now_ns) % slide_ns;
  return static_cast<std::uint32_t>((rest_ns + kMs - 1) / kMs);
}

void Aggregate::tell_once(bool& told, const std::string& text) {
  if (!told) host_.log(SLUICE_LOG_WARN, text);
  told = true;
}

void Aggregate::show_counts() {
  if (others() > 0) {
    tell_once(other_told_,
              "more types or label values than there may be (types_max, label/values_max); what comes "
              "beyond is counted as other");
  }
  set_count(late_cell_, late_);
  set_count(unusable_cell_, timeless_ + ahead_);
  set_count(other_cell_, others());
  set_count(lost_cell_, lost_);
  set_count(unsketched_cell_, unsketched_);
}

std::string Aggregate::summary() {
  std::string text = "windows closed: " + std::to_string(closed_) + ", series: " + std::to_string(series_.size());
  const std::pair<const char*, std::uint64_t> counts[] = {
      {"events in windows still open", windows_.held()},    {"events too late", late_},
      {"events without a usable time", timeless_ + ahead_}, {"counted as other", others()},
      {"window events lost", lost_ + waiting_.size()},      {"values without room for percentiles", unsketched_}};
  for (const auto& [name, count] : counts) {
    if (count > 0) text += std::string(", ") + name + ": " + std::to_string(count);
  }
  return text + '\n';
}

}  // namespace metrics
