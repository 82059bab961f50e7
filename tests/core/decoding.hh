// What the tests of events share: decode a text, look at what came out, read a file of vectors.
#pragma once

#include "core/decode.hh"

#include <sluice/cpp/event_view.hh>

#include <nlohmann/json.hpp>

#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// A record's bytes with exactly the padding that the ABI promises, so that a sanitizer sees what reads too far.
class Padded {
 public:
  explicit Padded(std::string_view text) : size_(text.size()), bytes_(new char[text.size() + SLUICE_PADDING]) {
    std::copy(text.begin(), text.end(), bytes_.get());
    // A closing bracket is the worst that can follow: a walk that runs too far would take it for the event's own.
    std::fill_n(bytes_.get() + size_, SLUICE_PADDING, '}');
  }
  [[nodiscard]] sluice_record record(std::uint32_t flags = 0) const {
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(bytes_.get());
    record.len = size_;
    record.flags = flags;
    return record;
  }
  [[nodiscard]] std::string_view text() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<char[]> bytes_;
};

/// A decoder with a block of its own; the texts stay alive as long as it.
class Decoding {
 public:
  explicit Decoding(EventFormat format = cloudevents_format(), EventLimits limits = {})
      : decoder_(std::move(format), limits), block_(pool_.take()) {}

  /// The code of the refusal, or "" when the text was taken.
  std::string code(std::string_view text, std::uint32_t flags = 0) {
    texts_.push_back(std::make_unique<Padded>(text));
    return code(texts_.back()->record(flags));
  }
  std::string code(const sluice_record& record) {
    const std::size_t before = block_->events.size();
    const std::optional<Reject> refused = decoder_.decode(record, context, *block_);
    reason = refused ? refused->reason : "";
    if (refused && block_->events.size() != before) return "events were added all the same";
    return refused ? refused->code : "";
  }
  [[nodiscard]] std::size_t size() const { return block_->events.size(); }
  [[nodiscard]] EventView event(std::size_t i) const { return EventView(block_->events.at(i)); }
  [[nodiscard]] EventView last() const { return EventView(block_->events.back()); }
  [[nodiscard]] Block& block() { return *block_; }

  RecordContext context{.node = "test", .unix_ns = 1'772'352'550'123'000'000, .random = 42};
  std::string reason;

 private:
  BlockPool pool_;
  Decoder decoder_;
  BlockRef block_;
  std::vector<std::unique_ptr<Padded>> texts_;
};

/// Every attribute in canonical string form, as the vectors list them.
inline nlohmann::json attributes_of(EventView event) {
  nlohmann::json all{{"specversion", "1.0"}, {"id", event.id()}, {"source", event.source()}, {"type", event.type()}};
  const auto add = [&](const char* name, std::string_view value) {
    if (!value.empty()) all[name] = value;
  };
  add("subject", event.subject());
  add("time", event.time());
  add("datacontenttype", event.datacontenttype());
  add("dataschema", event.dataschema());
  for (std::uint32_t i = 0; i < event.raw().extension_count; ++i) {
    const sluice_attribute& extension = event.raw().extensions[i];
    all[std::string(view(extension.name))] = view(extension.value);
  }
  return all;
}

inline std::vector<nlohmann::json> read_vectors(const std::string& path) {
  std::ifstream file(path);
  std::vector<nlohmann::json> rows;
  for (std::string line; std::getline(file, line);) rows.push_back(nlohmann::json::parse(line));
  return rows;
}

inline std::vector<nlohmann::json> own_vectors(const std::string& name) {
  return read_vectors(std::string(SLUICE_SOURCE_DIR) + "/tests/vectors/" + name);
}

/// Only for text that the vectors' authors wrote.
inline std::string from_base64(const std::string& text) {
  std::string out;
  unsigned bits = 0, count = 0;
  for (const char c : text) {
    const auto value = std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/").find(c);
    if (value == std::string_view::npos) break;
    bits = bits << 6 | static_cast<unsigned>(value);
    if ((count += 6) >= 8) out += static_cast<char>(bits >> (count -= 8));
  }
  return out;
}

}  // namespace sluice
