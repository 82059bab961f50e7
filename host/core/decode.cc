#include "core/decode.hh"

#include "core/binary.hh"
#include "core/envelope.hh"
#include "core/event_json.hh"
#include "core/media_type.hh"
#include "core/structured.hh"
#include "core/timestamp.hh"
#include "core/uuid.hh"

#include <sluice/cpp/text.hh>

#include <algorithm>
#include <array>

namespace sluice {

namespace {

constexpr std::uint64_t kLargestEvent = 1u << 30;  // slices have 32 bits, and a rewritten event holds its text twice
constexpr std::uint64_t kBatchFactor = 16;         // a batch may be this many times as long as one event

EventLimits bounded(EventLimits limits) {
  limits.event_bytes = std::min(limits.event_bytes, kLargestEvent);
  limits.nesting = std::min(limits.nesting, JsonCursor::kDeepest);
  return limits;
}

}  // namespace

struct Decoder::State {
  State(EventFormat made, EventLimits given)
      : format(std::move(made)), limits(bounded(given)), structured(limits), envelope(format, limits) {}

  std::optional<Reject> decode_json(std::string_view text, const sluice_record& record, const RecordContext& context,
                                    Block& block);
  std::optional<Reject> decode_events(JsonCursor& cursor, const sluice_record& record, const RecordContext& context,
                                      Block& block);
  std::optional<Reject> decode_batch(JsonCursor& cursor, const sluice_record& record, const RecordContext& context,
                                     Block& block);
  Fault decode_one(JsonCursor& cursor, std::uint32_t index, const sluice_record& record, const RecordContext& context,
                   Block& block);
  std::optional<Reject> decode_attributes(const sluice_record& record, const RecordContext& context, Block& block);
  std::optional<Reject> decode_raw(const sluice_record& record, const RecordContext& context, Block& block);
  void take_bytes(std::string_view data, bool undeclared_may_be_json, EventParts& parts);
  [[nodiscard]] bool is_json(std::string_view text);
  void take_properties(const sluice_record& record, EventParts& parts);
  std::string_view made_id(std::uint32_t index, const sluice_record& record, const RecordContext& context);
  void fill_in(const sluice_record& record, const RecordContext& context, EventParts& parts);
  std::optional<Reject> add(EventParts& parts, Block& block);
  Reject reject_text(JsonTokens::Failure failure, std::string_view text, bool batched);
  Reject reject(const Fault& fault, const JsonCursor* cursor = nullptr) const;

  const EventFormat format;
  const EventLimits limits;
  JsonTokens tokens;
  StructuredReader structured;
  EnvelopeReader envelope;
  EventWriter writer;
  NameHash names;
  std::uint64_t made = 0;  // ids made so far: no two share their random bits
  UuidText id{};
  std::array<char, 24> time{};
  std::string made_source;
  std::string copy;  // of a JSON scalar, to put padding behind it
  std::vector<sluice_attribute> extensions;
};

Decoder::Decoder(EventFormat format, EventLimits limits) : state_(std::make_unique<State>(std::move(format), limits)) {}
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder::~Decoder() = default;

std::optional<Reject> Decoder::decode(const sluice_record& record, const RecordContext& context, Block& block) {
  const std::string_view text(record.ptr == nullptr ? "" : reinterpret_cast<const char*>(record.ptr), record.len);
  if ((record.flags & SLUICE_ATTRIBUTES) != 0) return state_->decode_attributes(record, context, block);
  if (state_->format.kind == FormatKind::raw) return state_->decode_raw(record, context, block);
  return state_->decode_json(text, record, context, block);
}

// ---- JSON: the CloudEvents format and envelopes ----

std::optional<Reject> Decoder::State::decode_json(std::string_view text, const sluice_record& record,
                                                  const RecordContext& context, Block& block) {
  const bool batched = (record.flags & SLUICE_BATCHED) != 0;
  if (text.size() > limits.event_bytes * kBatchFactor) return reject({"too_large", {}});
  if (const auto failure = tokens.split(text); failure != JsonTokens::Failure::none) {
    return reject_text(failure, text, batched);
  }
  JsonCursor cursor(text, tokens.offsets(), limits.nesting);
  if (!cursor.is_closed()) return reject_text(JsonTokens::Failure::none, text, batched);
  const std::size_t before = block.events.size();
  std::optional<Reject> refused = decode_events(cursor, record, context, block);
  if (refused) block.events.resize(before);
  return refused;
}

std::optional<Reject> Decoder::State::decode_events(JsonCursor& cursor, const sluice_record& record,
                                                    const RecordContext& context, Block& block) {
  const bool batched = (record.flags & SLUICE_BATCHED) != 0;
  if (cursor.peek() == '[') {
    if ((record.flags & SLUICE_SINGLE) == 0) return decode_batch(cursor, record, context, block);
    return Reject{"json_not_object", "one event is expected here: a JSON object, not an array"};
  }
  if (batched) {
    std::string_view whole;
    if (!cursor.take_value(whole) || !cursor.ended()) return reject({"json_syntax", {}}, &cursor);
    return Reject{"batch_not_array", "a batch is a JSON array, also when it holds one event"};
  }
  if (const Fault fault = decode_one(cursor, 0, record, context, block)) return reject(fault, &cursor);
  if (!cursor.ended())
    return Reject{"json_syntax", "something follows the event at byte " + std::to_string(cursor.offset())};
  return std::nullopt;
}

std::optional<Reject> Decoder::State::decode_batch(JsonCursor& cursor, const sluice_record& record,
                                                   const RecordContext& context, Block& block) {
  if (!cursor.take('[')) return reject({"json_syntax", {}}, &cursor);
  if (cursor.peek() != ']') {
    std::uint32_t index = 0;
    do {
      if (index == limits.batch_events) {
        return Reject{"batch_too_long", "the batch holds more than " + std::to_string(index) + " events"};
      }
      const Fault fault =
          cursor.peek() == '{' ? decode_one(cursor, index, record, context, block) : Fault{"json_not_object", {}};
      if (fault) {
        const Reject why = reject(fault, &cursor);
        const std::string_view code = why.code;
        if (code == "json_syntax" || code == "json_too_deep") return why;
        const bool mixed = code == "specversion_unsupported" && index > 0;
        return Reject{mixed ? "batch_mixed_specversion" : "batch_item_invalid",
                      "event " + std::to_string(index + 1) + " of the batch: " + why.reason};
      }
      if (cursor.ended()) return reject({"json_syntax", {}}, &cursor);
      ++index;
    } while (cursor.take(','));
  }
  if (!cursor.take(']') || !cursor.ended()) return reject({"json_syntax", {}}, &cursor);
  return std::nullopt;
}

Fault Decoder::State::decode_one(JsonCursor& cursor, std::uint32_t index, const sluice_record& record,
                                 const RecordContext& context, Block& block) {
  if (format.kind == FormatKind::cloudevents) return structured.read(cursor, block.events.emplace_back(), block);
  EventParts parts;
  if (const Fault fault = envelope.read(cursor, parts)) return fault;
  if (record.header_count > 0) take_properties(record, parts);
  if (parts.id.empty()) parts.id = made_id(index, record, context);
  if (const Fault fault = check_parts(parts)) return fault;
  block.events.push_back(writer.write(parts, block));
  return {};
}

/// What a broker's message says beside its body. The body's own word counts; what is no attribute is left alone.
void Decoder::State::take_properties(const sluice_record& record, EventParts& parts) {
  extensions.assign(parts.extensions.begin(), parts.extensions.end());
  for (std::uint32_t i = 0; i < record.header_count && extensions.size() < limits.attributes; ++i) {
    const sluice_attribute& property = record.headers[i];
    const std::string_view name = view(property.name), value = view(property.value);
    if (value.empty() || !is_attribute_name(name) || !is_attribute_text(value)) continue;
    if (name == "id" && parts.id.empty()) parts.id = value;
    if (known_name(name) != Known::none) continue;
    const auto same_name = [&](const sluice_attribute& each) { return view(each.name) == name; };
    if (std::none_of(extensions.begin(), extensions.end(), same_name)) extensions.push_back(property);
  }
  parts.extensions = extensions;
}

// ---- Binary mode, and raw bytes ----

std::optional<Reject> Decoder::State::decode_attributes(const sluice_record& record, const RecordContext& context,
                                                        Block& block) {
  if (record.len > limits.event_bytes) return reject({"too_large", {}});
  const bool lenient = context.fill_in || format.kind != FormatKind::cloudevents;
  EventParts parts;
  if (const Fault fault = read_attributes(record, limits, lenient, extensions, parts)) return reject(fault);
  if (lenient) fill_in(record, context, parts);
  if (record.ptr != nullptr) {
    take_bytes({reinterpret_cast<const char*>(record.ptr), record.len}, context.fill_in, parts);
  }
  return add(parts, block);
}

std::optional<Reject> Decoder::State::decode_raw(const sluice_record& record, const RecordContext& context,
                                                 Block& block) {
  if (record.len > limits.event_bytes) return reject({"too_large", {}});
  EventParts parts;
  parts.datacontenttype = format.datacontenttype;
  if (parts.datacontenttype.empty()) parts.datacontenttype = "application/octet-stream";
  fill_in(record, context, parts);
  take_bytes({record.ptr == nullptr ? "" : reinterpret_cast<const char*>(record.ptr), record.len}, false, parts);
  return add(parts, block);
}

/// Data in binary mode is opaque: it is JSON text only when it is declared so and really is.
void Decoder::State::take_bytes(std::string_view data, bool undeclared_may_be_json, EventParts& parts) {
  const bool declared = parts.datacontenttype.data() != nullptr;
  const bool may_be_json = declared ? media_type_of(parts.datacontenttype) == MediaType::json : undeclared_may_be_json;
  parts.data = data;
  parts.has_data = true;
  parts.data_is_bytes = !may_be_json || !is_json(data);
}

/// Strictly one JSON value, within the limits.
bool Decoder::State::is_json(std::string_view text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n");
  if (start == text.npos) return false;
  const bool container = text[start] == '{' || text[start] == '[';
  if (!container) {  // a number may not run into what follows the data
    copy.assign(text);
    copy.append(SLUICE_PADDING, ' ');
    text = std::string_view(copy).substr(0, text.size());
  }
  if (tokens.split(text) != JsonTokens::Failure::none) return false;
  JsonCursor cursor(text, tokens.offsets(), limits.nesting);
  std::string_view value;
  return (!container || cursor.is_closed()) && cursor.take_value(value) && cursor.ended();
}

/// What the sender left to the host: from the configuration, the position or the clock.
void Decoder::State::fill_in(const sluice_record& record, const RecordContext& context, EventParts& parts) {
  if (parts.id.data() == nullptr) parts.id = made_id(0, record, context);
  if (parts.source.data() == nullptr) {
    if (format.source.empty()) made_source = "/sluice/" + std::string(context.node);
    parts.source = format.source.empty() ? std::string_view(made_source) : std::string_view(format.source);
  }
  if (parts.type.data() == nullptr && !format.type.empty()) parts.type = format.type;
  if (parts.subject.data() == nullptr && !format.subject.empty()) parts.subject = format.subject;
  if (parts.time.data() == nullptr && context.fill_in) {
    write_timestamp(context.unix_ns, time.data());
    parts.time = {time.data(), time.size()};
  }
}

std::string_view Decoder::State::made_id(std::uint32_t index, const sluice_record& record,
                                         const RecordContext& context) {
  id = record.position.len > 0 ? names.uuid(context.node, view(record.position), index)
                               : time_ordered_uuid(context.unix_ns, context.random + ++made * 0xD1B54A32D192ED03u);
  return {id.data(), id.size()};
}

std::optional<Reject> Decoder::State::add(EventParts& parts, Block& block) {
  if (const Fault fault = check_parts(parts)) return reject(fault);
  block.events.push_back(writer.write(parts, block));
  return std::nullopt;
}

// ---- Saying no ----

/// For a text that is not one closed object or array.
Reject Decoder::State::reject_text(JsonTokens::Failure failure, std::string_view text, bool batched) {
  switch (failure) {
    case JsonTokens::Failure::empty:
      return {"json_syntax", "there is nothing but white space"};
    case JsonTokens::Failure::too_large:
      return reject({"too_large", {}});
    case JsonTokens::Failure::encoding:
      return {"json_encoding", "the bytes are not UTF-8"};
    case JsonTokens::Failure::syntax:
      return {"json_syntax", "not JSON: a string is not closed, or holds an unescaped control character"};
    case JsonTokens::Failure::none:
      break;
  }
  if (text.starts_with("\xEF\xBB\xBF")) return {"json_bom", "the text starts with a byte order mark"};
  const char first = text[text.find_first_not_of(" \t\r\n")];
  if (first == '{' || first == '[') return {"json_syntax", "not JSON: the text ends too early, or something follows"};
  if (!is_json(text)) return {"json_syntax", "not JSON"};
  if (batched) return {"batch_not_array", "a batch is a JSON array"};
  return {"json_not_object", "an event is a JSON object"};
}

Reject Decoder::State::reject(const Fault& fault, const JsonCursor* cursor) const {
  const std::string_view code = fault.code;
  if (code == "json_syntax" && cursor != nullptr) {
    if (cursor->too_deep()) {
      return {"json_too_deep", "JSON nested deeper than " + std::to_string(limits.nesting) + " levels"};
    }
    return {"json_syntax", "not JSON: unexpected at or before byte " + std::to_string(cursor->offset())};
  }
  if (code == "too_large") {
    return {"too_large", "the event is longer than " + std::to_string(limits.event_bytes) + " bytes"};
  }
  if (code == "too_many_attributes") {
    return {"too_many_attributes", "the event has more than " + std::to_string(limits.attributes) + " attributes"};
  }
  if (code == "json_not_object") return {"json_not_object", "an event is a JSON object"};
  return {fault.code, explain(fault)};
}

}  // namespace sluice
