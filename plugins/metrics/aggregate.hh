// Inline consumer `aggregate`: figures over windows of time (count, rate, mean, percentiles of a field), by type and by
// one label, shown at /metrics and told as events. It passes everything on. See README.md.
#pragma once

#include "aggregate_settings.hh"
#include "field_reader.hh"
#include "names.hh"
#include "window_cells.hh"
#include "window_event.hh"
#include "windows.hh"

#include <sluice/cpp/plugin.hh>

#include <deque>
#include <optional>
#include <string>
#include <vector>

namespace metrics {

class Aggregate {
 public:
  Aggregate(sluice::HostView host, sluice::ConfigView config);

  sluice_status process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out);
  std::string summary();

 private:
  static constexpr std::size_t kWaitingMax = 4096;  // events of closed windows
  struct Series {
    std::uint32_t type, label;
    WindowCells cells;
    bool is_shown = false;  // with figures other than none
  };
  void take(sluice::EventView event, std::int64_t now_ns);
  [[nodiscard]] std::uint64_t others() const noexcept { return types_.overflowed() + labels_.overflowed() + unplaced_; }
  [[nodiscard]] bool is_wanted(std::string_view type) const;
  [[nodiscard]] std::optional<std::int64_t> time_of(sluice::EventView event, std::int64_t now_ns);
  [[nodiscard]] std::string_view attribute_label(sluice::EventView event) const;
  [[nodiscard]] std::uint32_t series_of(std::uint32_t type, std::uint32_t label);
  void make_series(std::uint32_t type, std::uint32_t label);
  [[nodiscard]] std::int64_t clock_of(std::uint64_t host_ns) const noexcept {
    return static_cast<std::int64_t>(host_ns) - origin_ns_;
  }
  void advance(std::int64_t time_ns);
  void close(const Windows::Closed& window);
  void close_series(const Windows::Closed& window, std::uint32_t number, bool emits);
  void keep(std::string event);
  void hand_over(sluice_writer* out);
  void tell_once(bool& told, const std::string& text);
  void show_counts();

  sluice::HostView host_;
  const AggregateSettings settings_;
  const bool label_from_data_;
  FieldReader reader_;
  Windows windows_;
  Windows::OnClosed on_closed_;
  Names types_, labels_;
  std::vector<std::uint16_t> numbers_;  // by type and label: its series + 1
  std::vector<Series> series_;
  std::vector<std::string> quantile_names_;
  std::vector<std::optional<double>> values_;  // of one event
  std::vector<double> quantiles_;              // of one field
  std::uint32_t wanted_;                       // a bit for each field
  // Windows count from here: with processing time from the node's start on the host's clock, with event time the epoch.
  const std::int64_t origin_ns_, unix_offset_ns_;
  std::int64_t newest_ns_ = INT64_MIN, idle_since_ns_ = 0;
  std::deque<std::string> waiting_;
  std::uint64_t late_ = 0, ahead_ = 0, timeless_ = 0, lost_ = 0, unsketched_ = 0, unplaced_ = 0, closed_ = 0;
  sluice_cell *late_cell_, *unusable_cell_, *other_cell_, *lost_cell_, *unsketched_cell_;
  bool other_told_ = false, lost_told_ = false, unsketched_told_ = false, time_told_ = false;
};

}  // namespace metrics
