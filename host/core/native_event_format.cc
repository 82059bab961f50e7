// `format:` of a source: a preset by name, or a map with the envelope's fields and constants.
#include "core/map_reader.hh"
#include "core/native_format.hh"

#include <algorithm>

namespace sluice {
namespace {

const std::vector<std::string> kPresets{"cloudevents", "bus_event", "domain_event", "envelope", "raw"};

/// Events that name no source are given the node's.
std::string default_source(const std::string& node) { return "/sluice/" + node; }

EventFormat preset(const std::string& name, const std::string& node) {
  EventFormat format;
  if (name == "bus_event") {
    format = bus_event_format(default_source(node));
  } else if (name == "domain_event") {
    format = domain_event_format(default_source(node));
  } else if (name == "cloudevents") {
    format = cloudevents_format();
  } else {
    format.kind = name == "raw" ? FormatKind::raw : FormatKind::envelope;
    format.source = default_source(node);
    if (name == "raw") format.type = "sluice.raw";
  }
  format.preset = name;
  return format;
}

bool legal_attribute(std::string_view name) {
  return !name.empty() && name.size() <= 64 &&
         std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

void read_fields(const Value* fields, const std::string& path, EventFormat& format, Problems& problems) {
  if (fields == nullptr) return;
  MapReader map(fields, path, problems);
  if (!fields->is_map()) return;
  for (const auto& [to, from] : fields->map) {
    if (!legal_attribute(to)) {
      complain_at_key(
          problems, from, path + "." + to,
          "is no attribute name: lower-case letters and digits (id, type, time, subject, data, or an extension)");
    }
    FieldMap field{to, {}};
    if (const auto names = map.texts(to)) {
      for (const Value* name : *names) field.from.push_back(name->string);
    }
    const auto same = std::ranges::find(format.fields, to, &FieldMap::to);
    if (same != format.fields.end()) {
      *same = std::move(field);
    } else {
      format.fields.push_back(std::move(field));
    }
  }
}

void read_constants(MapReader& map, EventFormat& format) {
  if (const auto text = map.text("source")) format.source = *text;
  if (const auto text = map.text("type")) format.type = *text;
  if (const auto text = map.text("type_prefix")) format.type_prefix = *text;
  if (const auto text = map.text("subject")) format.subject = *text;
  if (const auto text = map.text("datacontenttype")) format.datacontenttype = *text;
  if (const auto raw = map.boolean("raw_header_values")) format.raw_header_values = *raw;
}

/// Keys that the kind of format cannot use: said, not ignored.
void refuse_idle_keys(const Value& value, const EventFormat& format, const std::string& path, Problems& problems) {
  for (const auto& [key, member] : value.map) {
    const bool constant = key == "source" || key == "type" || key == "subject" || key == "datacontenttype";
    const bool idle =
        (format.kind == FormatKind::cloudevents && (constant || key == "type_prefix" || key == "fields")) ||
        (format.kind == FormatKind::raw && (key == "fields" || key == "type_prefix"));
    if (idle) {
      complain_at_key(problems, member, path + "." + key,
                      "has no effect with preset " + format.preset + "; it belongs to " +
                          (format.kind == FormatKind::raw ? "an envelope" : "an envelope or raw"));
    }
  }
}

}  // namespace

EventFormat read_event_format(const Value* value, const std::string& node, const std::string& path,
                              Problems& problems) {
  if (value == nullptr) return preset("cloudevents", node);
  if (!value->is_map()) {
    Value holder = make_map(*value);
    holder.put("format", *value);
    const std::string parent = path.substr(0, path.rfind('.'));
    MapReader map(&holder, parent, problems);
    const auto chosen = map.choice_of("format", kPresets);
    if (chosen && kPresets[*chosen] == "envelope") {
      complain(problems, *value, path, "an envelope needs its fields: {fields: {type: event_type, data: payload}}");
    }
    return preset(chosen ? kPresets[*chosen] : "cloudevents", node);
  }
  MapReader map(value, path, problems);
  const Value* fields = map.take("fields");
  const auto chosen = map.choice_of("preset", kPresets);
  EventFormat format = preset(chosen ? kPresets[*chosen] : fields != nullptr ? "envelope" : "cloudevents", node);
  read_fields(fields, path + ".fields", format, problems);
  read_constants(map, format);
  map.done();
  refuse_idle_keys(*value, format, path, problems);
  if (format.kind == FormatKind::envelope && format.fields.empty()) {
    complain(problems, *value, path, "an envelope needs its fields: {fields: {type: event_type, data: payload}}");
  }
  if (format.kind == FormatKind::raw && format.type.empty()) {
    complain(problems, *value, path, "raw needs a type: the type of every event");
  }
  return format;
}

}  // namespace sluice
