#include "json_schema.hh"

#include "frame.hh"

#include <sluice/cpp/encode.hh>
#include <sluice/cpp/writer_view.hh>

namespace validation {
namespace {

constexpr std::size_t kReasonBytes = 512;  // a longer reason is cut

/// Cut where a character begins.
std::string cut(std::string text) {
  if (text.size() <= kReasonBytes) return text;
  std::size_t end = kReasonBytes;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "…";
}

}  // namespace

JsonSchema::Policy JsonSchema::policy_of(std::string_view word) {
  if (word == "pass") return Policy::pass;
  if (word == "drop") return Policy::drop;
  if (word == "tag") return Policy::tag;
  if (word == "divert") return Policy::divert;
  if (word == "wait") return Policy::wait;
  return word == "halt" ? Policy::halt : Policy::reject;
}

JsonSchema::JsonSchema(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      files_(config),
      on_invalid_(policy_of(config.text("on_invalid"))),
      on_unknown_(policy_of(config.text("on_unknown"))),
      on_unavailable_(policy_of(config.text("on_unavailable"))),
      valid_(host.cell(SLUICE_COUNTER, "json_schema_events_total", "Events by what the comparison said.",
                       {{"result", "valid"}})),
      invalid_(host.cell(SLUICE_COUNTER, "json_schema_events_total", "Events by what the comparison said.",
                         {{"result", "invalid"}})),
      unknown_(host.cell(SLUICE_COUNTER, "json_schema_events_total", "Events by what the comparison said.",
                         {{"result", "unknown"}})),
      unavailable_(host.cell(SLUICE_COUNTER, "json_schema_events_total", "Events by what the comparison said.",
                             {{"result", "unavailable"}})) {
  if (config.has("registry")) {
    registry_ = std::make_unique<Registry>(host, config, files_.draft(), on_unavailable_ == Policy::wait);
  } else if (files_.empty()) {
    throw sluice::BadConfig("no schema is named: give types, dataschemas, folder or registry");
  }
}

void JsonSchema::start(std::chrono::milliseconds timeout) {
  if (registry_) registry_->start(timeout);
}

std::uint32_t JsonSchema::tick(std::uint64_t, sluice_writer*) {
  constexpr std::uint32_t kFiguresMs = 5000;
  if (!registry_) return UINT32_MAX;
  registry_->figures();
  return kFiguresMs;
}

sluice_status JsonSchema::process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out,
                                  sluice_error& error) {
  const bool was_halted = halt_text_.has_value();
  if (registry_) registry_->begin_batch();
  for (std::uint32_t i = 0; i < batch.size(); ++i) {
    if (halt_text_) {
      verdict[i] = SLUICE_TO_REFUSE;
      host_.explain(i, *halt_text_);
      continue;
    }
    const sluice::EventView event = batch[i];
    const Choice choice = choose(event);
    if (choice.unread != nullptr) {
      sluice::add(unavailable_);
      const std::string why = std::string("its schema is named by ") + choice.unread +
                              ", which is not read: let the serializer write ids of four bytes (a zero byte first)";
      // Waiting would not cure it.
      apply(on_unavailable_ == Policy::wait ? Policy::reject : on_unavailable_, event, i, why, verdict[i], out);
    } else if (choice.unavailable != nullptr) {
      without_schema(*choice.unavailable, event, i, verdict[i], out);
    } else if (choice.schema == nullptr) {
      sluice::add(unknown_);
      if (on_unknown_ == Policy::pass) continue;
      apply(on_unknown_, event, i, "no schema is known for type " + std::string(event.type()), verdict[i], out);
    } else if (const auto why = why_not(event, choice)) {
      sluice::add(invalid_);
      apply(on_invalid_, event, i, cut("data does not fit " + *choice.name + ": " + *why), verdict[i], out);
    } else {
      sluice::add(valid_);
    }
  }
  if (!halt_text_ || was_halted) return SLUICE_OK;
  sluice::put(&error, *halt_text_);
  return SLUICE_HALT;
}

JsonSchema::Choice JsonSchema::chosen(const Known& known) {
  Choice choice;
  if (known.schema) {
    choice.schema = &known.schema->compiled;
    choice.name = &known.schema->name;
  } else {
    choice.unavailable = &known.failed;
  }
  return choice;
}

JsonSchema::Choice JsonSchema::unread(const char* how) {
  Choice choice;
  choice.unread = how;
  return choice;
}

/// The nearer to the data, the better it knows: the id in its frame, its dataschema, its type.
JsonSchema::Choice JsonSchema::choose(sluice::EventView event) {
  if (registry_ && registry_->reads_frames() && event.data_is_bytes()) {
    if (const auto frame = read_frame(event.data())) {
      Choice choice = chosen(registry_->find_id(frame->id));
      choice.payload = frame->payload;
      return choice;
    }
    if (is_guid_frame(event.data())) return unread("a GUID in its frame (a first byte of one)");
  }
  if (registry_ && registry_->reads_frames() && event.extension(kSchemaHeader)) {
    return unread("a GUID in a header of its message");
  }
  const auto of_file = [](NamedSchema& file) { return Choice{&file.schema, &file.name, nullptr, {}, nullptr}; };
  if (NamedSchema* file = files_.find_dataschema(event.dataschema())) return of_file(*file);
  if (registry_) {
    if (const Known* known = registry_->find_dataschema(event.dataschema())) return chosen(*known);
  }
  if (NamedSchema* file = files_.find_type(event.type())) return of_file(*file);
  if (!registry_) return {};
  if (const Known* known = registry_->find_subject(event)) return chosen(*known);
  const Known* known = registry_->find_templated(event);
  // A subject that only a rule made up need not be there.
  if (known == nullptr || (!known->schema && known->failed.failure == FetchFailure::not_found)) return {};
  return chosen(*known);
}

std::optional<std::string> JsonSchema::why_not(sluice::EventView event, const Choice& choice) {
  if (choice.payload) return check_.why_not(*choice.payload, *choice.schema);
  if (!event.has_data()) return "there is none";
  if (event.data_is_bytes()) return "is bytes, not JSON";
  return check_.why_not(event.data(), *choice.schema);
}

void JsonSchema::without_schema(const FetchError& error, sluice::EventView event, std::uint32_t index,
                                std::uint8_t& verdict, sluice_writer* out) {
  sluice::add(unavailable_);
  if (on_unavailable_ == Policy::pass) return;
  const std::string why = cut("its schema " + registry_->asked() + " cannot be had: " + error.why);
  if (on_unavailable_ != Policy::wait) return apply(on_unavailable_, event, index, why, verdict, out);
  // Waiting does not cure a schema that is not there or is none.
  apply(may_pass(error.failure) ? Policy::wait : Policy::reject, event, index, why, verdict, out);
}

void JsonSchema::apply(Policy policy, sluice::EventView event, std::uint32_t index, const std::string& why,
                       std::uint8_t& verdict, sluice_writer* out) {
  switch (policy) {
    case Policy::pass:
      return;
    case Policy::tag:
      return tag(event, index, why, verdict, out);
    case Policy::drop:
      verdict = SLUICE_TO_DROP;
      break;
    case Policy::reject:
      verdict = SLUICE_TO_REJECT;
      break;
    case Policy::divert:
      verdict = kInvalidPort;
      return;
    case Policy::wait:
      verdict = SLUICE_TO_REFUSE;
      break;
    case Policy::halt:
      verdict = SLUICE_TO_REFUSE;
      halt_text_ = "event " + std::string(event.id()) + " of " + std::string(event.source()) + ": " + why;
      break;
  }
  host_.explain(index, halt_text_ ? *halt_text_ : why);
}

/// The event goes on with one attribute more. One that was tagged before goes on as it is.
void JsonSchema::tag(sluice::EventView event, std::uint32_t index, const std::string& why, std::uint8_t& verdict,
                     sluice_writer* out) {
  if (event.extension(kTag)) return;
  const std::string_view json = event.json();
  const std::size_t open = json.find('{');
  if (open != std::string_view::npos && out != nullptr) {
    tagged_.assign(R"({")").append(kTag).append(R"(":")");
    sluice::append_json_escaped(tagged_, why);
    tagged_.append("\",").append(json.substr(open + 1));
    if (sluice::WriterView(*out).replace(tagged_, index)) return;
  }
  verdict = SLUICE_TO_REJECT;  // an event that does not fit must not pass as one that does
  host_.explain(index, why + " (and there was no room to tag it)");
}

}  // namespace validation
