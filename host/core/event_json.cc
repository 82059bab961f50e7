#include "core/event_json.hh"

#include "core/media_type.hh"

#include <sluice/cpp/encode.hh>
#include <sluice/cpp/event_view.hh>
#include <sluice/cpp/utf8.hh>

#include <algorithm>

namespace sluice {

namespace {

/// Writes members one after the other and remembers where each value's own text came to stand: in the JSON when it
/// needs no escape there, behind the JSON otherwise.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += "{\"specversion\":\"1.0\""; }

  sluice_slice string(std::string_view name, std::string_view value) {
    if (value.data() == nullptr) return {};
    open(name);
    out_ += '"';
    const sluice_slice place = escaped(value);
    out_ += '"';
    return place;
  }
  sluice_slice bare(std::string_view name, std::string_view value) {
    open(name);
    return plain(value);
  }
  sluice_slice bytes(std::string_view value) {
    open("data_base64");
    out_ += '"';
    append_base64(out_, value);
    out_ += '"';
    return later(value);
  }

  /// Ends the object, then appends what could not stand in it. `place` maps the slices given out before.
  std::uint32_t close() {
    out_ += '}';
    return static_cast<std::uint32_t>(out_.size());
  }

 private:
  void open(std::string_view name) {
    out_ += ",\"";
    out_ += name;
    out_ += "\":";
  }
  sluice_slice plain(std::string_view value) {
    const sluice_slice place{static_cast<std::uint32_t>(out_.size()), static_cast<std::uint32_t>(value.size())};
    out_ += value;
    return place;
  }
  sluice_slice escaped(std::string_view value) {
    if (is_plain_json_text(value)) return plain(value);
    append_json_escaped(out_, value);
    return later(value);
  }
  /// The value's own text goes in front of the JSON's end only after it is closed: kept aside until then.
  sluice_slice later(std::string_view value) {
    const sluice_slice place{kLater | static_cast<std::uint32_t>(aside_.size()),
                             static_cast<std::uint32_t>(value.size())};
    aside_ += value;
    return place;
  }

  std::string& out_;
  std::string aside_;

 public:
  static constexpr std::uint32_t kLater = 1u << 31;  // such a slice counts from the end of the JSON
  void append_aside() { out_ += aside_; }
};

sluice_slice placed(sluice_slice slice, std::uint32_t json_size) noexcept {
  if ((slice.at & Members::kLater) != 0) slice.at = (slice.at & ~Members::kLater) + json_size;
  return slice;
}

bool writes_bare(std::uint32_t type) noexcept { return type == SLUICE_BOOLEAN || type == SLUICE_INTEGER; }

sluice_slice write_data(Members& members, const EventParts& parts) {
  if (!parts.data_is_bytes) return members.bare("data", parts.data);
  const std::string_view data = parts.data.data() == nullptr ? std::string_view("") : parts.data;
  const bool text = parts.datacontenttype.data() != nullptr &&
                    media_type_of(parts.datacontenttype) == MediaType::other && valid_utf8(data);
  return text ? members.string("data", data) : members.bytes(data);
}

}  // namespace

sluice_event EventWriter::write(const EventParts& parts, Block& block) {
  text_.clear();
  Members members(text_);
  sluice_event event{};
  event.id = members.string("id", parts.id);
  event.source = members.string("source", parts.source);
  event.type = members.string("type", parts.type);
  event.subject = members.string("subject", parts.subject);
  event.time = members.string("time", parts.time);
  event.datacontenttype = members.string("datacontenttype", parts.datacontenttype);
  event.dataschema = members.string("dataschema", parts.dataschema);

  const auto count = static_cast<std::uint32_t>(parts.extensions.size());
  auto* extensions = count > 0 ? block.allocate_array<sluice_attribute>(count) : nullptr;
  auto* places = count > 0 ? block.allocate_array<sluice_slice>(count) : nullptr;
  for (std::uint32_t i = 0; i < count; ++i) {
    const sluice_attribute& extension = parts.extensions[i];
    const std::string_view name = view(extension.name), value = view(extension.value);
    places[i] = writes_bare(extension.type) ? members.bare(name, value) : members.string(name, value);
    extensions[i] = extension;
  }
  if (parts.has_data) event.data = write_data(members, parts);
  const std::uint32_t json_size = members.close();
  members.append_aside();

  const std::size_t names_at = text_.size();
  for (std::uint32_t i = 0; i < count; ++i) text_ += view(extensions[i].name);
  event.text = block.keep(text_).data();
  event.json = {0, json_size};
  for (sluice_slice* slice : {&event.id, &event.source, &event.type, &event.subject, &event.time,
                              &event.datacontenttype, &event.dataschema, &event.data}) {
    *slice = placed(*slice, json_size);
  }
  const char* name = event.text + names_at;
  for (std::uint32_t i = 0; i < count; ++i) {
    const sluice_slice value = placed(places[i], json_size);
    extensions[i].name.ptr = name;
    extensions[i].value = {event.text + value.at, value.len};
    if (view(extensions[i].name) == "partitionkey") event.key = value;
    name += extensions[i].name.len;
  }
  event.extensions = extensions;
  event.extension_count = count;
  event.flags = flags_of(parts) | std::uint32_t{SLUICE_SYNTHETIC};
  event.time_s = parts.time_s;
  event.time_ns = parts.time_ns;
  return event;
}

sluice_event EventWriter::with_extensions(const sluice_event& event, std::span<const sluice_attribute> added,
                                          Block& block) {
  extensions_.assign(event.extensions, event.extensions + event.extension_count);
  for (const sluice_attribute& extension : added) {
    const auto same = std::find_if(extensions_.begin(), extensions_.end(), [&](const sluice_attribute& existing) {
      return view(existing.name) == view(extension.name);
    });
    same == extensions_.end() ? extensions_.push_back(extension) : void(*same = extension);
  }
  EventParts parts = parts_of(event);
  parts.extensions = extensions_;
  sluice_event written = write(parts, block);
  written.seq = event.seq;
  written.origin = event.origin;
  written.flags |= event.flags & 0xFFFF0000u;
  return written;
}

EventParts parts_of(const sluice_event& event) noexcept {
  const EventView seen(event);
  const auto optional = [](std::string_view text) { return text.empty() ? std::string_view{} : text; };
  EventParts parts;
  parts.id = seen.id();
  parts.source = seen.source();
  parts.type = seen.type();
  parts.subject = optional(seen.subject());
  parts.time = optional(seen.time());
  parts.datacontenttype = optional(seen.datacontenttype());
  parts.dataschema = optional(seen.dataschema());
  parts.extensions = {event.extensions, event.extension_count};
  parts.data = seen.data();
  parts.has_data = seen.has_data();
  parts.data_is_bytes = seen.data_is_bytes();
  parts.has_time = (event.flags & SLUICE_HAS_TIME) != 0;
  parts.time_s = event.time_s;
  parts.time_ns = event.time_ns;
  return parts;
}

}  // namespace sluice
