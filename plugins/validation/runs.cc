#include "runs.hh"

#include "journal_line.hh"

#include <algorithm>

namespace validation {
Runs::Shortcut& Runs::shortcut_of(std::string_view source) noexcept {
  // Sources of one kind differ in their last characters, so these choose the place.
  std::size_t place = source.size();
  for (std::size_t i = 0; i < 3 && i < source.size(); ++i) {
    place = place * 11 + static_cast<unsigned char>(source[source.size() - 1 - i]);
  }
  return shortcuts_[place % kShortcuts];
}

void Runs::forget_shortcuts() noexcept {
  shortcuts_.fill({});
  last_run_ = nullptr;
}

Run& Runs::look_up(std::uint32_t index) {
  last_run_ = &runs_.at(index);
  last_index_ = index;
  return *last_run_;
}

std::uint32_t Runs::run_of(std::string_view source, std::optional<std::string_view> run_id) {
  std::uint32_t index = 0;
  if (run_id) {
    const auto found = by_id_.find(*run_id);
    index = found != by_id_.end() ? found->second : make_run(run_id, nullptr);
    run(index).used = ++clock_;
    return index;
  }
  Shortcut& shortcut = shortcut_of(source);
  if (shortcut.name == nullptr || *shortcut.name != source) {
    auto found = sources_.find(source);
    if (found == sources_.end()) {
      belong(source, make_run(std::nullopt, nullptr));
      found = sources_.find(source);
    }
    shortcut = {&found->first, &found->second, &run(found->second.run)};
  }
  shortcut.source->used = ++clock_;
  shortcut.run->used = ++clock_;
  last_run_ = shortcut.run;
  last_index_ = shortcut.source->run;
  return last_index_;
}

void Runs::begin(std::string_view source, std::optional<std::string_view> run_id, const IdHash& identity) {
  const auto known = run_id ? by_id_.find(*run_id) : by_id_.end();
  if (known == by_id_.end()) return belong(source, make_run(run_id, &identity));
  // The same source begins the run again: from zero. Another worker of the same run joins it.
  const std::uint32_t index = known->second;
  if (is_current(source, index) || runs_.at(index).halted) return belong(source, start_over(index, identity));
  window_.add(identity);
  if (writes_journal_) {
    journal_ += "I ";
    put_identity(journal_, identity);
    journal_ += '\n';
  }
  belong(source, index);
}

std::uint32_t Runs::make_run(std::optional<std::string_view> id, const IdHash* identity) {
  if (runs_.size() >= kRunsMax) forget_oldest_run();
  const std::uint32_t index = next_run_++;
  Run& run = runs_[index];
  run.used = ++clock_;
  if (id) {
    run.id.emplace(*id);
    by_id_.insert_or_assign(*run.id, index);
  }
  if (identity != nullptr) window_.add(*identity);
  if (!writes_journal_) return index;
  journal_ += "R ";
  put_number(journal_, index);
  journal_ += ' ';
  if (identity != nullptr)
    put_identity(journal_, *identity);
  else
    journal_ += '-';
  journal_ += id ? " 1 " : " 0 ";
  if (id) put_text(journal_, *id);
  journal_ += '\n';
  return index;
}

std::uint32_t Runs::start_over(std::uint32_t index, const IdHash& identity) {
  const Run old = runs_.at(index);
  if (old.halted) --halted_;
  forget_shortcuts();
  runs_.erase(index);
  const std::uint32_t fresh = make_run(old.id, &identity);
  // The new number stands for the run now; sources that belonged to the old one go along.
  for (auto& [source, one] : sources_) {
    if (one.run == index) belong(source, fresh);
  }
  return fresh;
}

bool Runs::is_current(std::string_view source, std::uint32_t run) const {
  const auto found = sources_.find(source);
  return found != sources_.end() && found->second.run == run;
}

void Runs::belong(std::string_view source, std::uint32_t run) {
  forget_shortcuts();
  auto found = sources_.find(source);
  if (found == sources_.end()) {
    if (sources_.size() >= kSourcesMax) forget_oldest_source();
    found = sources_.emplace(std::string(source), Source{}).first;
  }
  found->second = {run, ++clock_};
  if (!writes_journal_) return;
  journal_ += "S ";
  put_number(journal_, run);
  journal_ += ' ';
  put_text(journal_, source);
  journal_ += '\n';
}

void Runs::count(std::uint32_t run, const IdHash& identity, bool success, std::vector<Finding>& findings) {
  if (writes_journal_) {
    journal_ += "+ ";
    put_number(journal_, run);
    journal_ += ' ';
    put_identity(journal_, identity);
    journal_ += success ? " 1\n" : " 0\n";
  }
  apply(run, identity, success, findings);
}

void Runs::apply(std::uint32_t index, const IdHash& identity, bool success, std::vector<Finding>& findings) {
  window_.add(identity);
  Run& run = this->run(index);
  ++run.processed;
  run.passed += success ? 1 : 0;
  Finding finding{identity, index, FindingKind::checkpoint, run.processed, run.passed, false};
  if (rules_.early_checkpoint > 0 && run.processed == rules_.early_checkpoint) {
    finding.failed = finding.success_rate() < rules_.early_threshold;
    if (finding.failed) {
      run.halted = true;
      ++halted_;
    }
    remember(finding);
    findings.push_back(finding);
    if (finding.failed) return;
  }
  if (rules_.window > 0) slide(run, success, finding, findings);
  if (rules_.warning_interval > 0 && run.processed % rules_.warning_interval == 0 &&
      finding.success_rate() < rules_.warning_threshold) {
    finding.kind = FindingKind::warning;
    remember(finding);
    findings.push_back(finding);
  }
}

void Runs::remember(const Finding& finding) {
  if (findings_.size() >= kFindingsKept) findings_.pop_front();
  findings_.push_back(finding);
}

void Runs::recall(const IdHash& identity, std::vector<Finding>& findings) const {
  for (const Finding& finding : findings_) {
    if (finding.cause == identity && runs_.count(finding.run) > 0) findings.push_back(finding);
  }
}

void Runs::forget_oldest_run() {
  forget_shortcuts();
  const auto oldest = std::min_element(runs_.begin(), runs_.end(),
                                       [](const auto& a, const auto& b) { return a.second.used < b.second.used; });
  const std::uint32_t index = oldest->first;
  if (oldest->second.halted) --halted_;
  if (oldest->second.id) by_id_.erase(*oldest->second.id);
  std::erase_if(sources_, [&](const auto& one) { return one.second.run == index; });
  runs_.erase(oldest);
}

void Runs::forget_oldest_source() {
  forget_shortcuts();
  sources_.erase(std::min_element(sources_.begin(), sources_.end(),
                                  [](const auto& a, const auto& b) { return a.second.used < b.second.used; }));
}

std::string Runs::snapshot() const {
  std::string out;
  for (const auto& [index, run] : runs_) {
    out += "R ";
    put_number(out, index);
    out += run.id ? " - 1 " : " - 0 ";
    if (run.id) put_text(out, *run.id);
    out += "\nT ";
    for (const std::uint64_t number : {std::uint64_t{index}, run.processed, run.passed, std::uint64_t{run.halted}}) {
      put_number(out, number);
      out += ' ';
    }
    out += '\n';
    snapshot_watch(out, index, run);
  }
  for (const auto& [source, one] : sources_) {
    out += "S ";
    put_number(out, one.run);
    out += ' ';
    put_text(out, source);
    out += '\n';
  }
  // The newest that are always remembered; older ones may be known for a while, but nobody counts on it.
  for (std::uint32_t i = window_.size() - std::min(window_.size(), IdWindow::kIdsMin); i < window_.size(); ++i) {
    out += "I ";
    put_identity(out, window_[i]);
    out += '\n';
  }
  for (const Finding& finding : findings_) {
    out += "C ";
    put_identity(out, finding.cause);
    for (const std::uint64_t number : {std::uint64_t{finding.run}, static_cast<std::uint64_t>(finding.kind),
                                       finding.processed, finding.passed, std::uint64_t{finding.failed}}) {
      out += ' ';
      put_number(out, number);
    }
    if (finding.total > 0) {
      out += ' ';
      put_number(out, finding.total);
    }
    out += '\n';
  }
  return out;
}

bool Runs::replay_run(std::string_view rest) {
  std::uint32_t index = 0;
  if (!take_number(rest, index)) return false;
  const std::string_view identity_word = take_word(rest);
  const bool has_id = take_word(rest) == "1";
  IdHash identity;
  std::string_view again = identity_word;
  if (identity_word != "-" && !take_identity(again, identity)) return false;
  forget_shortcuts();
  if (runs_.size() >= kRunsMax) forget_oldest_run();
  Run& run = runs_[index];
  run = {};
  run.used = ++clock_;
  next_run_ = std::max(next_run_, index + 1);
  if (has_id) {
    run.id = text_of(rest);
    const auto old = by_id_.find(*run.id);
    if (old != by_id_.end() && old->second != index) {  // begun again under a new number
      const auto gone = runs_.find(old->second);
      if (gone != runs_.end()) {
        if (gone->second.halted) --halted_;
        runs_.erase(gone);
      }
    }
    by_id_.insert_or_assign(*runs_.at(index).id, index);
  }
  if (identity_word != "-" && !window_.contains(identity)) window_.add(identity);
  return true;
}

bool Runs::replay(std::string_view line) {
  std::string_view rest = line;
  const std::string_view kind = take_word(rest);
  std::uint32_t index = 0;
  IdHash identity;
  if (kind == "R") return replay_run(rest);
  if (kind == "S") {
    if (!take_number(rest, index) || runs_.count(index) == 0) return false;
    belong(text_of(rest), index);
    journal_.clear();
    return true;
  }
  if (kind == "+") {
    std::uint32_t success = 0;
    if (!take_number(rest, index) || !take_identity(rest, identity) || !take_number(rest, success)) return false;
    if (runs_.count(index) == 0) return false;
    std::vector<Finding> ignored;
    if (!window_.contains(identity)) apply(index, identity, success != 0, ignored);
    return true;
  }
  if (kind == "T") {
    std::uint64_t processed = 0, passed = 0, halted = 0;
    if (!take_number(rest, index) || !take_number(rest, processed) || !take_number(rest, passed) ||
        !take_number(rest, halted) || runs_.count(index) == 0) {
      return false;
    }
    Run& run = runs_.at(index);
    if (halted != 0 && !run.halted) ++halted_;
    run.processed = processed;
    run.passed = passed;
    run.halted = halted != 0;
    return true;
  }
  if (kind == "I") {
    if (!take_identity(rest, identity)) return false;
    if (!window_.contains(identity)) window_.add(identity);
    return true;
  }
  if (kind == "C") {
    Finding finding;
    std::uint32_t what = 0, failed = 0;
    if (!take_identity(rest, finding.cause) || !take_number(rest, finding.run) || !take_number(rest, what) ||
        !take_number(rest, finding.processed) || !take_number(rest, finding.passed) || !take_number(rest, failed)) {
      return false;
    }
    if (!rest.empty() && !take_number(rest, finding.total)) return false;
    finding.kind = static_cast<FindingKind>(what);
    finding.failed = failed != 0;
    remember(finding);
    return true;
  }
  return replay_watch(kind, rest);
}

}  // namespace validation
