#include "validation.hh"

#include <algorithm>
#include <array>
#include <system_error>

namespace validation {
namespace {

constexpr std::uint32_t kStretch = 32;  // events

bool is_one_of(const std::vector<std::string>& types, std::string_view type) {
  return std::any_of(types.begin(), types.end(), [&](const std::string& one) { return one == type; });
}

Rules rules_from(const sluice::ConfigView& config) {
  return {static_cast<std::uint64_t>(config.integer("early_checkpoint")), config.number("early_threshold"),
          config.number("warning_threshold"), static_cast<std::uint64_t>(config.integer("warning_interval"))};
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
      unit_name_(config.text("unit_name")),
      halts_graph_(config.text("halt") != "run"),
      runs_(rules_, config.has("state")),
      run_id_(config.text("run_id")) {
  for (const std::string& type : success_types_) {
    if (is_one_of(failure_types_, type)) {
      throw sluice::BadConfig("success_types and failure_types both name '" + type + "': it can only be one of them");
    }
  }
  if (config.has("state")) journal_.emplace(config.text("state"));
}

void Validation::start(std::chrono::milliseconds) {
  if (journal_) journal_->open(runs_);
}

Validation::Kind Validation::kind_of(std::string_view type) const {
  if (is_one_of(success_types_, type)) return Kind::success;
  if (is_one_of(failure_types_, type)) return Kind::failure;
  return is_one_of(start_types_, type) ? Kind::start : Kind::other;
}

sluice_status Validation::process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out,
                                  sluice_error& error) {
  texts_.clear();
  headers_.clear();
  halt_text_.reset();
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
  if (kind == Kind::start) return runs_.begin(event.source(), run_id, identity);
  const std::uint32_t run = runs_.run_of(event.source(), run_id);
  if (runs_.run(run).halted) return refuse(run, event, index, verdict);
  runs_.count(run, identity, kind == Kind::success, findings_);
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
    if (finding.kind == FindingKind::warning) {
      emit(out, cause, index, "validation.warning", warning_data(finding, run_id, rules_.warning_threshold));
      continue;
    }
    emit(out, cause, index, "validation.checkpoint", checkpoint_data(finding, run_id));
    if (!finding.failed) continue;
    emit(out, cause, index, "extraction.failed", failed_data(finding, run_id));
    halt(finding.run, halt_text(finding, unit_name_));
  }
}

void Validation::emit(sluice_writer* out, sluice::EventView cause, std::uint32_t index, std::string_view type,
                      std::string data) {
  if (out == nullptr) return;
  if (out->count == out->cap && out->grow(out, 1, 0) == 0) {
    host_.log(SLUICE_LOG_WARN, "more findings in one batch than the host takes: " + std::string(type) + " is left out");
    return;
  }
  const std::string& kept = texts_.emplace_back(std::move(data));
  std::vector<sluice_attribute>& headers = headers_.emplace_back();
  headers.push_back(attribute("type", type));
  headers.push_back(attribute("source", cause.source(), SLUICE_URI_REF));
  headers.push_back(attribute("datacontenttype", "application/json"));
  if (!cause.time().empty()) headers.push_back(attribute("time", cause.time(), SLUICE_TIMESTAMP));
  sluice_record& record = *SLUICE_RECORD(out, out->count);
  record.ptr = reinterpret_cast<const std::uint8_t*>(kept.data());
  record.len = kept.size();
  record.headers = headers.data();
  record.header_count = static_cast<std::uint32_t>(headers.size());
  record.flags = SLUICE_ATTRIBUTES;
  record.parent = index;
  ++out->count;
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
