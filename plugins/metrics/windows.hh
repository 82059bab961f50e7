// Windows over time, for several series at once: how many events, and what their numbers were. Pure: time comes in.
//
// Time is cut into panes as long as the windows' slide; a window is a run of panes. An event is counted once, in its
// pane, however many windows it lies in; windows are put together when they close. Panes live on a ring that holds one
// window and the lateness that is allowed for.
#pragma once

#include "sketch.hh"

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace metrics {

/// What a window says of one field of one series.
struct Figures {
  std::uint64_t count = 0;
  double sum = 0;
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();

  void add(double value) noexcept;
  void add(const Figures& more) noexcept;
  [[nodiscard]] double mean() const noexcept {
    return count == 0 ? std::numeric_limits<double>::quiet_NaN() : sum / static_cast<double>(count);
  }
};

class Windows {
 public:
  struct Shape {
    std::int64_t slide_ns = 0;
    std::uint32_t panes = 1;     // a window has so many
    std::uint32_t lateness = 0;  // panes that an event may come behind the newest
    std::uint32_t fields = 0;
    std::uint64_t memory = 0;  // bytes for the sketches
  };
  /// A closed window, as long as the call lasts.
  class Closed {
   public:
    Closed(const Windows& of, std::int64_t first_pane) noexcept : of_(of), first_pane_(first_pane) {}
    [[nodiscard]] std::int64_t start_ns() const noexcept { return first_pane_ * of_.shape_.slide_ns; }
    [[nodiscard]] std::int64_t end_ns() const noexcept { return start_ns() + of_.length_ns(); }
    [[nodiscard]] std::uint32_t series() const noexcept { return of_.series_; }
    [[nodiscard]] std::uint64_t count(std::uint32_t series) const noexcept;
    [[nodiscard]] Figures figures(std::uint32_t series, std::uint32_t field) const noexcept;
    void quantiles(std::uint32_t series, std::uint32_t field, std::span<const double> shares,
                   std::span<double> into) const noexcept;

   private:
    const Windows& of_;
    std::int64_t first_pane_;
  };
  using OnClosed = std::function<void(const Closed&)>;

  explicit Windows(Shape shape) : shape_(shape), ring_(shape.panes + shape.lateness + 1), budget_(shape.memory) {}

  [[nodiscard]] std::int64_t length_ns() const noexcept { return shape_.slide_ns * shape_.panes; }
  [[nodiscard]] std::uint32_t series() const noexcept { return series_; }
  /// Makes room for one more series; its number is the old series().
  void add_series();
  /// The first window begins at this time.
  void begin(std::int64_t start_ns) noexcept { first_ = pane_of(start_ns); }
  /// Where an event of this time is counted; nothing when every window that it lies in is closed. Requires: no later
  /// than what advance() was told last, with the lateness on top.
  [[nodiscard]] std::optional<std::uint32_t> slot_of(std::int64_t time_ns) const noexcept;
  void count(std::uint32_t slot, std::uint32_t series) noexcept;
  /// False when memory for the percentiles is used up: the rest counts the value all the same.
  [[nodiscard]] bool add(std::uint32_t slot, std::uint32_t series, std::uint32_t field, double value);
  /// Closes the windows that end at this time or before, the oldest first.
  void advance(std::int64_t time_ns, const OnClosed& closed);
  /// What lies in the windows that are still open.
  [[nodiscard]] std::uint64_t held() const noexcept { return held_; }

 private:
  struct Field {
    std::vector<Figures> panes;
    Sketch sketch;
  };
  [[nodiscard]] std::int64_t pane_of(std::int64_t time_ns) const noexcept;
  [[nodiscard]] std::uint32_t slot(std::int64_t pane) const noexcept;
  [[nodiscard]] PaneRange range(std::int64_t first_pane) const noexcept { return {slot(first_pane), shape_.panes}; }
  void clear(std::int64_t pane) noexcept;

  Shape shape_;
  std::uint32_t ring_;
  Budget budget_;
  std::uint32_t series_ = 0;
  std::vector<std::uint64_t> counts_;  // by series and slot
  std::vector<Field> fields_;          // by series and field
  std::optional<std::int64_t> first_;  // the first pane of the oldest open window
  std::uint64_t held_ = 0;
};

}  // namespace metrics
