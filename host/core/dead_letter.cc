#include "core/dead_letter.hh"

#include "core/attribute.hh"
#include "core/limits.hh"
#include "core/timestamp.hh"
#include "core/uuid.hh"

#include <sluice/cpp/utf8.hh>

#include <algorithm>

namespace sluice {

std::string attribute_text(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::uint32_t code = 0;
    const std::size_t length = utf8_length(text, at, code);  // 0: not UTF-8
    const std::string_view one = text.substr(at, std::max<std::size_t>(length, 1));
    if (out.size() + one.size() > limits::kReasonBytes) break;
    if (is_attribute_text(one)) {
      out += one;
    } else {
      out += length > 0 && code < 0xA0 ? ' ' : '?';
    }
    at += one.size();
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> dead_letter_attributes(const DeadLetterFacts& facts) {
  std::vector<std::pair<std::string, std::string>> out{{"sluiceerrornode", attribute_text(facts.node)},
                                                       {"sluiceerrorreason", attribute_text(facts.reason)},
                                                       {"sluiceerrorattempts", std::to_string(facts.attempts)},
                                                       {"sluiceerrorfirst", timestamp_text(facts.first_unix_ns)},
                                                       {"sluiceerrorlast", timestamp_text(facts.last_unix_ns)}};
  if (facts.code != 0) out.emplace_back("sluiceerrorcode", std::to_string(facts.code));
  return out;
}

namespace {

sluice_attribute string_attribute(const std::string& name, const std::string& value) {
  return {{name.data(), name.size()}, {value.data(), value.size()}, SLUICE_STRING, 0};
}

std::vector<sluice_attribute> as_extensions(const std::vector<std::pair<std::string, std::string>>& attributes) {
  std::vector<sluice_attribute> out;
  for (const auto& [name, value] : attributes) out.push_back(string_attribute(name, value));
  return out;
}

}  // namespace

sluice_event as_dead_letter(const sluice_event& event, const DeadLetterFacts& facts, EventWriter& writer,
                            Block& block) {
  const auto attributes = dead_letter_attributes(facts);
  return writer.with_extensions(event, as_extensions(attributes), block);
}

sluice_event wrap_undecodable(Block& block, std::string_view bytes, const DeadLetterFacts& facts,
                              std::string_view id_hint, std::uint64_t unique) {
  const auto attributes = dead_letter_attributes(facts);
  const std::vector<sluice_attribute> extensions = as_extensions(attributes);
  NameHash hash;
  const UuidText id = id_hint.empty() ? time_ordered_uuid(facts.first_unix_ns, unique * 0x9e3779b97f4a7c15ull)
                                      : hash.uuid(facts.node, id_hint, 0);
  const std::string source = "/sluice/undecodable";
  const std::string time = timestamp_text(facts.first_unix_ns);
  EventParts parts;
  parts.id = {id.data(), id.size()};
  parts.source = source;
  parts.type = kUndecodableType;
  parts.time = time;
  parts.extensions = extensions;
  parts.data = bytes;
  parts.has_data = true;
  parts.data_is_bytes = true;
  (void)check_parts(parts);  // reads the time; the parts are ours
  EventWriter writer;
  return writer.write(parts, block);
}

std::string timestamp_text(std::int64_t unix_ns) {
  char text[24];
  write_timestamp(unix_ns, text);
  return {text, sizeof text};
}

}  // namespace sluice
