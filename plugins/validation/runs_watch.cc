// What is watched of a run beside its beginning: the last results, whether it goes on, whether it is whole in the end.
#include "runs.hh"

#include "journal_line.hh"

namespace validation {

void Runs::slide(Run& run, bool success, Finding finding, std::vector<Finding>& findings) {
  run.window.push_back(success);
  run.window_passed += success ? 1 : 0;
  if (run.window.size() > rules_.window) {
    run.window_passed -= run.window.front() ? 1 : 0;
    run.window.pop_front();
  }
  if (run.window.size() < rules_.window) return;
  finding.kind = FindingKind::window;
  finding.processed = run.window.size();
  finding.passed = run.window_passed;
  finding.failed = finding.success_rate() < rules_.window_threshold;
  if (finding.failed == run.low) return;
  run.low = finding.failed;
  remember(finding);
  findings.push_back(finding);
}

void Runs::expect(std::uint32_t index, std::uint64_t total) {
  run(index).total = total;
  if (!writes_journal_) return;
  journal_ += "N ";
  put_number(journal_, index);
  journal_ += ' ';
  put_number(journal_, total);
  journal_ += '\n';
}

void Runs::end(std::uint32_t index, const IdHash& identity, std::optional<std::uint64_t> total,
               std::vector<Finding>& findings) {
  if (writes_journal_) {
    journal_ += "E ";
    put_number(journal_, index);
    journal_ += ' ';
    put_identity(journal_, identity);
    journal_ += ' ';
    if (total) {
      put_number(journal_, *total);
    } else {
      journal_ += '-';
    }
    journal_ += '\n';
  }
  finish(index, identity, total, findings);
}

void Runs::finish(std::uint32_t index, const IdHash& identity, std::optional<std::uint64_t> total,
                  std::vector<Finding>& findings) {
  window_.add(identity);
  Run& run = this->run(index);
  run.ended = true;
  run.stalled = false;
  if (total) run.total = total;
  Finding finding{identity, index, FindingKind::completed, run.processed, run.passed};
  finding.failed = run.processed > 0 && finding.success_rate() < rules_.run_threshold;
  finding.total = run.total.value_or(0);
  remember(finding);
  findings.push_back(finding);
  if (!run.total || run.processed >= *run.total) return;
  finding.kind = FindingKind::incomplete;
  finding.failed = true;
  remember(finding);
  findings.push_back(finding);
}

void Runs::write_stalled(std::uint32_t index, bool stalled) {
  if (!writes_journal_) return;
  journal_ += "Z ";
  put_number(journal_, index);
  journal_ += stalled ? " 1\n" : " 0\n";
}

void Runs::touch(std::uint32_t index, const IdHash& identity, std::uint64_t now_ns, std::vector<Finding>& findings) {
  Run& run = this->run(index);
  run.last_ns = now_ns;
  if (!run.stalled) return;
  run.stalled = false;
  write_stalled(index, false);
  const Finding finding{identity, index, FindingKind::resumed, run.processed, run.passed};
  remember(finding);
  findings.push_back(finding);
}

void Runs::find_stalled(std::uint64_t now_ns, std::uint64_t after_ns, std::size_t max, std::vector<Finding>& findings) {
  for (auto& [index, run] : runs_) {
    if (findings.size() >= max) return;
    if (run.ended || run.halted || run.stalled) continue;
    if (run.last_ns == 0) run.last_ns = now_ns;  // from an earlier process: its patience begins anew
    if (now_ns - run.last_ns < after_ns) continue;
    run.stalled = true;
    write_stalled(index, true);
    findings.push_back({{}, index, FindingKind::checkpoint, run.processed, run.passed});
  }
}

void Runs::snapshot_watch(std::string& out, std::uint32_t index, const Run& run) const {
  const auto begin = [&](char kind) {
    out += kind;
    out += ' ';
    put_number(out, index);
    out += ' ';
  };
  if (run.total) {
    begin('N');
    put_number(out, *run.total);
    out += '\n';
  }
  if (run.ended || run.stalled) {
    begin('Z');
    out += run.ended ? "2\n" : "1\n";
  }
  if (run.window.empty()) return;
  begin('W');
  out += run.low ? "1 " : "0 ";
  for (const bool success : run.window) out += success ? '1' : '0';
  out += '\n';
}

bool Runs::replay_watch(std::string_view kind, std::string_view rest) {
  std::uint32_t index = 0;
  if (!take_number(rest, index) || runs_.count(index) == 0) return false;
  Run& run = runs_.at(index);
  if (kind == "N") {
    std::uint64_t total = 0;
    if (!take_number(rest, total)) return false;
    run.total = total;
    return true;
  }
  if (kind == "Z") {  // 2: complete, in a snapshot
    std::uint32_t state = 0;
    if (!take_number(rest, state)) return false;
    run.stalled = state == 1;
    run.ended = run.ended || state == 2;
    return true;
  }
  if (kind == "W") {
    std::uint32_t low = 0;
    if (!take_number(rest, low)) return false;
    run.low = low != 0;
    run.window.clear();
    run.window_passed = 0;
    if (rest.size() > rules_.window) rest.remove_prefix(rest.size() - rules_.window);  // the window became smaller
    for (const char digit : rest) {
      run.window.push_back(digit == '1');
      run.window_passed += digit == '1' ? 1 : 0;
    }
    return true;
  }
  IdHash identity;
  if (kind != "E" || !take_identity(rest, identity)) return false;
  std::optional<std::uint64_t> total;
  if (rest != "-" && !take_number(rest, total.emplace())) return false;
  std::vector<Finding> ignored;
  if (!window_.contains(identity)) finish(index, identity, total, ignored);
  return true;
}

}  // namespace validation
