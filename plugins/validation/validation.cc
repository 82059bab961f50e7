#include "validation.hh"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <system_error>

namespace validation {
namespace {

constexpr std::uint32_t kStretch = 32;  // events
constexpr std::uint32_t kNeverMs = UINT32_MAX;
constexpr std::int64_t kLookAgainMsMax = 60'000;

bool is_one_of(const std::vector<std::string>& types, std::string_view type) {
  return std::any_of(types.begin(), types.end(), [&](const std::string& one) { return one == type; });
}

// The older version has the same lines, but identities were hashed in another way: counts and halts go on, the
// identities fit nothing.
constexpr sluice::JournalFormat kState{.header = "sluice validation state 2\n",
                                       .older_header = "sluice validation state 1\n",
                                       .cure = "to count from zero",
                                       .growth_bytes_min = 4 * 1024 * 1024};

Rules rules_from(const sluice::ConfigView& config) {
  return {static_cast<std::uint64_t>(config.integer("early_checkpoint")),
          config.number("early_threshold"),
          config.number("warning_threshold"),
          static_cast<std::uint64_t>(config.integer("warning_interval")),
          static_cast<std::uint64_t>(config.integer("window")),
          config.number("window_threshold"),
          config.number("run_threshold")};
}

sluice_attribute attribute(std::string_view name, std::string_view value, std::uint32_t type = SLUICE_STRING) {
  return {sluice::str(name), sluice::str(value), type, 0};
}

}  // namespace

Validation::Validation(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      rules_(rules_from(config)),
      start_types_(config.texts("start_types")),
      success_types_(config.texts("success_types")),
      failure_types_(config.texts("failure_types")),
      end_types_(config.texts("end_types")),
      unit_name_(config.text("unit_name")),
      stalled_after_(config.duration("stalled_after")),
      halts_graph_(config.text("halt") != "run"),
      runs_(rules_, config.has("state")),
      run_id_(config.text("run_id")),
      total_(config.text("total")) {
  for (const std::string& type : success_types_) {
    if (is_one_of(failure_types_, type)) {
      throw sluice::BadConfig("success_types and failure_types both name '" + type + "': it can only be one of them");
    }
  }
  if (config.has("state")) journal_.emplace(config.text("state"), kState);
}

void Validation::start(std::chrono::milliseconds) {
  if (journal_) journal_->open(runs_);
}

Validation::Kind Validation::kind_of(std::string_view type) const {
  if (is_one_of(success_types_, type)) return Kind::success;
  if (is_one_of(failure_types_, type)) return Kind::failure;
  if (is_one_of(start_types_, type)) return Kind::start;
  return is_one_of(end_types_, type) ? Kind::end : Kind::other;
}

sluice_status Validation::process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out,
                                  sluice_error& error) {
  texts_.clear();
  headers_.clear();
  halt_text_.reset();
  if (stalled_after_.count() > 0) now_ns_ = host_.now_ns();
  // A stretch at a time, so that the memory which the last of them needs is on its way while the first is judged.
  std::array<Kind, kStretch> kinds;
  std::array<IdHash, kStretch> identities;
  for (std::uint32_t from = 0; from < batch.size(); from += kStretch) {
    const std::uint32_t count = std::min(kStretch, batch.size() - from);
    for (std::uint32_t i = 0; i < count; ++i) {
      const sluice::EventView event = batch[from + i];
      kinds[i] = kind_of(event.type());
      if (kinds[i] == Kind::other) continue;
      identities[i] = hash_identity(event.source(), event.id());
      runs_.prefetch(identities[i]);
    }
    for (std::uint32_t i = 0; i < count; ++i) {
      // Only a halted run asks which run the other events belong to.
      if (kinds[i] == Kind::other && !runs_.any_halted()) continue;
      judge(batch[from + i], from + i, kinds[i], identities[i], verdict[from + i], out);
    }
  }
  keep_state();
  if (!halt_text_) return SLUICE_OK;
  sluice::put(&error, *halt_text_);
  return halts_graph_ ? SLUICE_HALT : SLUICE_OK;
}

void Validation::judge(sluice::EventView event, std::uint32_t index, Kind kind, const IdHash& identity,
                       std::uint8_t& verdict, sluice_writer* out) {
  if (kind == Kind::other) {
    const std::uint32_t run = runs_.run_of(event.source(), run_id_.read(event));
    if (runs_.run(run).halted) refuse(run, event, index, verdict);
    return;
  }
  findings_.clear();
  if (runs_.seen(identity)) {  // it was passed on before, and is again, with what it brought about
    runs_.recall(identity, findings_);
    return emit_all(event, index, out);
  }
  const auto run_id = run_id_.read(event);
  if (kind == Kind::start) {
    runs_.begin(event.source(), run_id, identity);
    const std::uint32_t begun = runs_.run_of(event.source(), run_id);
    if (stalled_after_.count() > 0) runs_.touch(begun, identity, now_ns_, findings_);
    if (const auto total = end_types_.empty() ? std::nullopt : total_of(event)) runs_.expect(begun, *total);
    return emit_all(event, index, out);
  }
  const std::uint32_t run = runs_.run_of(event.source(), run_id);
  if (runs_.run(run).halted) return refuse(run, event, index, verdict);
  if (stalled_after_.count() > 0) runs_.touch(run, identity, now_ns_, findings_);
  if (kind == Kind::end) {
    runs_.end(run, identity, total_of(event), findings_);
  } else {
    runs_.count(run, identity, kind == Kind::success, findings_);
  }
  emit_all(event, index, out);
}

void Validation::refuse(std::uint32_t index_of_run, sluice::EventView event, std::uint32_t index,
                        std::uint8_t& verdict) {
  const Run& run = runs_.run(index_of_run);
  const Finding at{{}, index_of_run, FindingKind::checkpoint, run.processed, run.passed, true};
  const std::string text = halt_text(at, unit_name_);
  verdict = SLUICE_TO_REFUSE;
  host_.explain(index, text);
  // After a restart the graph halts again as long as the halted run is the one that goes on; a straggler of an old run
  // is refused and stops nobody else.
  if (!run.told && runs_.is_current(event.source(), index_of_run)) halt(index_of_run, text);
}

void Validation::halt(std::uint32_t run, const std::string& text) {
  runs_.run(run).told = true;
  if (!halt_text_) halt_text_ = text;
}

void Validation::emit_all(sluice::EventView cause, std::uint32_t index, sluice_writer* out) {
  for (const Finding& finding : findings_) {
    const std::optional<std::string>& run_id = runs_.run(finding.run).id;
    switch (finding.kind) {
      case FindingKind::warning:
        emit(out, cause, index, "validation.warning", warning_data(finding, run_id, rules_.warning_threshold));
        continue;
      case FindingKind::window:
        emit(out, cause, index, "validation.window", window_data(finding, run_id, rules_.window_threshold));
        continue;
      case FindingKind::completed:
        emit(out, cause, index, "validation.completed", completed_data(finding, run_id, rules_.run_threshold));
        continue;
      case FindingKind::incomplete:
        emit(out, cause, index, "validation.incomplete", incomplete_data(finding, run_id));
        continue;
      case FindingKind::resumed:
        emit(out, cause, index, "validation.resumed", resumed_data(finding, run_id));
        continue;
      case FindingKind::checkpoint:
        break;
    }
    emit(out, cause, index, "validation.checkpoint", checkpoint_data(finding, run_id));
    if (!finding.failed) continue;
    emit(out, cause, index, "extraction.failed", failed_data(finding, run_id));
    halt(finding.run, halt_text(finding, unit_name_));
  }
}

void Validation::emit(sluice_writer* out, sluice::EventView cause, std::uint32_t index, std::string_view type,
                      std::string data) {
  std::vector<sluice_attribute> headers{attribute("type", type), attribute("source", cause.source(), SLUICE_URI_REF),
                                        attribute("datacontenttype", "application/json")};
  if (!cause.time().empty()) headers.push_back(attribute("time", cause.time(), SLUICE_TIMESTAMP));
  if (!add(out, index, std::move(headers), std::move(data))) {
    host_.log(SLUICE_LOG_WARN, "more findings in one batch than the host takes: " + std::string(type) + " is left out");
  }
}

bool Validation::add(sluice_writer* out, std::uint32_t parent, std::vector<sluice_attribute> headers,
                     std::string data) {
  if (out == nullptr) return true;
  if (out->count == out->cap && out->grow(out, 1, 0) == 0) return false;
  const std::string& kept = texts_.emplace_back(std::move(data));
  const std::vector<sluice_attribute>& lasting = headers_.emplace_back(std::move(headers));
  sluice_record& record = *SLUICE_RECORD(out, out->count);
  record.ptr = reinterpret_cast<const std::uint8_t*>(kept.data());
  record.len = kept.size();
  record.headers = lasting.data();
  record.header_count = static_cast<std::uint32_t>(lasting.size());
  record.flags = SLUICE_ATTRIBUTES;
  record.parent = parent;
  ++out->count;
  return true;
}

std::optional<std::uint64_t> Validation::total_of(sluice::EventView event) {
  const auto text = total_.read(event);
  std::uint64_t total = 0;
  if (!text) return std::nullopt;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), total);
  if (error != std::errc() || end != text->data() + text->size()) return std::nullopt;
  return total;
}

std::uint32_t Validation::tick(std::uint64_t now_ns, sluice_writer* out) {
  if (stalled_after_.count() == 0) return kNeverMs;
  texts_.clear();
  headers_.clear();
  findings_.clear();
  const std::size_t room = out == nullptr ? SIZE_MAX : out->cap - out->count;
  runs_.find_stalled(now_ns, static_cast<std::uint64_t>(stalled_after_.count()), room, findings_);
  for (const Finding& finding : findings_) tell_stalled(finding, out);
  keep_state();
  if (findings_.size() == room) return 1;
  const std::chrono::milliseconds quarter = std::chrono::duration_cast<std::chrono::milliseconds>(stalled_after_) / 4;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(quarter.count(), 1, kLookAgainMsMax));
}

/// Nothing caused it, so nobody's outcome depends on it. The id is the same when a restart tells it again.
void Validation::tell_stalled(const Finding& finding, sluice_writer* out) {
  const std::optional<std::string>& run_id = runs_.run(finding.run).id;
  const std::string& source = texts_.emplace_back("/sluice/" + std::string(host_.node()));
  const std::string& id = texts_.emplace_back("stalled-" + run_id.value_or("#" + std::to_string(finding.run)) + "-" +
                                              std::to_string(finding.processed));
  (void)add(out, SLUICE_NO_PARENT,
            {attribute("id", id), attribute("type", "validation.stalled"), attribute("source", source, SLUICE_URI_REF),
             attribute("datacontenttype", "application/json")},
            stalled_data(finding, run_id, std::chrono::duration<double>(stalled_after_).count()));
}

void Validation::keep_state() {
  if (!journal_) return;
  const std::string lines = runs_.take_journal();
  try {
    journal_->append(lines, runs_);
    if (state_failed_) host_.log(SLUICE_LOG_INFO, "the state is written again");
    state_failed_ = false;
  } catch (const std::system_error& e) {
    if (!state_failed_) {
      host_.log(SLUICE_LOG_ERROR, "the state cannot be written: " + std::string(e.what()) +
                                      "; a restart now would count from an older state");
    }
    state_failed_ = true;
  }
}

}  // namespace validation
