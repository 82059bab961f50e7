// The counts of each run and what follows from them: pure rules, no I/O, no clock.
//
// An event belongs to the run it names, or else to the run that its CloudEvents source began last. Results are counted
// once per event identity. At the early checkpoint the success rate is judged once; a run that fails it is halted. At
// every warning interval a rate under the warning threshold is a finding.
//
// Every change is also written as a line of journal text where that is wanted, and replaying those lines gives the same
// state again:
//   R <run> <identity or -> <1 id | 0>   a run begins (its counts are zero)
//   S <run> <source>                     events of this source that name no run belong to it
//   + <run> <identity> <1|0>             a result was counted
//   T <run> <processed> <passed> <halted>           totals  ) only in a snapshot,
//   I <identity>                                    seen    ) which begins a journal
//   C <identity> <run> <kind> <processed> <passed> <failed> <total>   cause   )
//   W <run> <low> <results as 1 and 0>              window  )
//   N <run> <total>                      as many results are expected
//   E <run> <identity> <total or ->      the run is complete
//   Z <run> <1|0>                        the run stalled, or went on
#pragma once

#include "id_window.hh"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace validation {

struct Rules {
  std::uint64_t early_checkpoint = 5;
  double early_threshold = 0.5;
  double warning_threshold = 0.7;
  std::uint64_t warning_interval = 50;
  std::uint64_t window = 0;  // results; 0: none
  double window_threshold = 0.7;
  double run_threshold = 0.7;
};

struct Run {
  std::optional<std::string> id;
  std::uint64_t processed = 0, passed = 0;
  bool halted = false;
  bool told = false;  // the halt was announced by this process
  std::uint64_t used = 0;
  // What watching it needs (runs_watch.cc).
  std::optional<std::uint64_t> total;  // results expected
  bool ended = false, stalled = false, low = false;
  std::uint64_t window_passed = 0;
  std::deque<bool> window;
  std::uint64_t last_ns = 0;  // when something of it came, in host time; 0: not since this process began
};

enum class FindingKind : char {
  checkpoint = 'c',
  warning = 'w',
  window = 's',      // the sliding window fell under its threshold (failed) or came back
  completed = 'r',   // failed: under the threshold of the whole run
  incomplete = 'i',  // fewer results than expected
  resumed = 'z',
};

/// What a counted result brought about. An event that comes again brings about the same again.
struct Finding {
  IdHash cause;
  std::uint32_t run = 0;
  FindingKind kind = FindingKind::checkpoint;
  std::uint64_t processed = 0, passed = 0;
  bool failed = false;  // below its threshold
  std::uint64_t total = 0;

  [[nodiscard]] double success_rate() const noexcept {
    return processed == 0 ? 0 : static_cast<double>(passed) / static_cast<double>(processed);
  }
};

class Runs {
 public:
  static constexpr std::size_t kRunsMax = 4096, kSourcesMax = 4096, kFindingsKept = 256;

  /// Without a journal no line is ever written: there is nothing to take.
  explicit Runs(Rules rules, bool writes_journal = true) : rules_(rules), writes_journal_(writes_journal) {}

  [[nodiscard]] bool seen(const IdHash& identity) const noexcept { return window_.contains(identity); }
  /// seen() and count() of this identity follow soon.
  void prefetch(const IdHash& identity) const noexcept { window_.prefetch(identity); }
  /// The run of an event, made when it is the first of it.
  [[nodiscard]] std::uint32_t run_of(std::string_view source, std::optional<std::string_view> run_id);
  /// A run begins, or begins again. Requires: the identity was not seen.
  void begin(std::string_view source, std::optional<std::string_view> run_id, const IdHash& identity);
  /// Counts a result and appends what follows from it. Requires: the identity was not seen.
  void count(std::uint32_t run, const IdHash& identity, bool success, std::vector<Finding>& findings);
  /// As many results are expected of the run.
  void expect(std::uint32_t run, std::uint64_t total);
  /// The run is complete: what is to be said of it as a whole. Requires: the identity was not seen.
  void end(std::uint32_t run, const IdHash& identity, std::optional<std::uint64_t> total,
           std::vector<Finding>& findings);
  /// Something of the run came; a stalled one goes on.
  void touch(std::uint32_t run, const IdHash& identity, std::uint64_t now_ns, std::vector<Finding>& findings);
  /// The runs under way of which nothing came for so long, each once. Appends at most `max`.
  void find_stalled(std::uint64_t now_ns, std::uint64_t after_ns, std::size_t max, std::vector<Finding>& findings);
  /// What this event brought about when it was counted.
  void recall(const IdHash& identity, std::vector<Finding>& findings) const;

  [[nodiscard]] Run& run(std::uint32_t index) {
    return last_run_ != nullptr && last_index_ == index ? *last_run_ : look_up(index);
  }
  [[nodiscard]] bool any_halted() const noexcept { return halted_ > 0; }
  [[nodiscard]] bool is_current(std::string_view source, std::uint32_t run) const;

  /// The journal text since the last call.
  [[nodiscard]] std::string take_journal() { return std::exchange(journal_, {}); }
  [[nodiscard]] std::string snapshot() const;
  /// False when the line says nothing that this version knows.
  [[nodiscard]] bool replay(std::string_view line);

 private:
  std::uint32_t make_run(std::optional<std::string_view> id, const IdHash* identity);
  std::uint32_t start_over(std::uint32_t run, const IdHash& identity);
  void apply(std::uint32_t run, const IdHash& identity, bool success, std::vector<Finding>& findings);
  void belong(std::string_view source, std::uint32_t run);
  void slide(Run& run, bool success, Finding finding, std::vector<Finding>& findings);
  void finish(std::uint32_t run, const IdHash& identity, std::optional<std::uint64_t> total,
              std::vector<Finding>& findings);
  void write_stalled(std::uint32_t run, bool stalled);
  void snapshot_watch(std::string& out, std::uint32_t index, const Run& run) const;
  bool replay_watch(std::string_view kind, std::string_view rest);
  void remember(const Finding& finding);
  void forget_oldest_run();
  void forget_oldest_source();
  bool replay_run(std::string_view rest);
  Run& look_up(std::uint32_t index);
  void forget_shortcuts() noexcept;

  /// Found by a view, without making a string.
  struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept { return std::hash<std::string_view>()(text); }
  };
  template <class T>
  using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;
  struct Source {
    std::uint32_t run;
    std::uint64_t used;
  };
  /// Where a source was found the last time: the elements of the maps stay where they are until they are erased.
  struct Shortcut {
    const std::string* name = nullptr;
    Source* source = nullptr;
    Run* run = nullptr;
  };
  static constexpr std::size_t kShortcuts = 64;
  [[nodiscard]] Shortcut& shortcut_of(std::string_view source) noexcept;

  Rules rules_;
  bool writes_journal_;
  IdWindow window_;
  std::unordered_map<std::uint32_t, Run> runs_;
  TextMap<std::uint32_t> by_id_;
  TextMap<Source> sources_;
  std::deque<Finding> findings_;
  std::uint32_t next_run_ = 0;
  std::uint64_t clock_ = 0;  // counts uses: what was used longest ago goes first
  std::size_t halted_ = 0;
  std::string journal_;
  std::array<Shortcut, kShortcuts> shortcuts_{};  // all dropped when a run or a source changes or goes
  Run* last_run_ = nullptr;
  std::uint32_t last_index_ = 0;
};

}  // namespace validation
