// A framed payload, as serializers with a schema registry write it: a zero byte, the schema's id in four bytes (big
// endian), then the data itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace validation {

struct Frame {
  std::uint32_t id = 0;
  std::string_view payload;
};

[[nodiscard]] inline std::optional<Frame> read_frame(std::string_view bytes) noexcept {
  constexpr std::size_t kHeadBytes = 5;
  if (bytes.size() < kHeadBytes || bytes.front() != '\0') return std::nullopt;
  std::uint32_t id = 0;
  for (std::size_t i = 1; i < kHeadBytes; ++i) id = id << 8 | static_cast<unsigned char>(bytes[i]);
  return Frame{id, bytes.substr(kHeadBytes)};
}

/// The newer form: a byte of one and the schema's GUID in sixteen.
[[nodiscard]] inline bool is_guid_frame(std::string_view bytes) noexcept {
  constexpr std::size_t kHeadBytes = 17;
  return bytes.size() > kHeadBytes && bytes.front() == '\1';
}

/// The attribute by which a source says that a message named its schema in a header (Kafka: __value_schema_id).
inline constexpr std::string_view kSchemaHeader = "valueschemaid";

}  // namespace validation
