#include "library.hh"

#include <charconv>
#include <cstdint>
#include <optional>

namespace rabbitmq {
namespace {

amqp_table_entry_t entry(std::string_view key, amqp_field_value_kind_t kind) {
  amqp_table_entry_t made{};
  made.key = bytes(key);
  made.value.kind = static_cast<std::uint8_t>(kind);
  return made;
}

std::optional<std::int64_t> integer_of(const amqp_field_value_t& value) {
  switch (value.kind) {
    case AMQP_FIELD_KIND_I8:
      return value.value.i8;
    case AMQP_FIELD_KIND_U8:
      return value.value.u8;
    case AMQP_FIELD_KIND_I16:
      return value.value.i16;
    case AMQP_FIELD_KIND_U16:
      return value.value.u16;
    case AMQP_FIELD_KIND_I32:
      return value.value.i32;
    case AMQP_FIELD_KIND_U32:
      return value.value.u32;
    case AMQP_FIELD_KIND_I64:
      return value.value.i64;
    case AMQP_FIELD_KIND_U64:
      return static_cast<std::int64_t>(value.value.u64);
    default:
      return std::nullopt;
  }
}

void take_headers(const amqp_table_t& headers, Message& message) {
  for (int i = 0; i < headers.num_entries; ++i) {
    const amqp_table_entry_t& from = headers.entries[i];
    const std::string_view name = view(from.key);
    const std::optional<std::int64_t> number = integer_of(from.value);
    if (name == "x-delivery-count" && number) {
      message.deliveries = static_cast<std::uint64_t>(*number);
      message.counts_deliveries = true;
      continue;
    }
    const bool text = from.value.kind == AMQP_FIELD_KIND_UTF8 || from.value.kind == AMQP_FIELD_KIND_BYTES;
    const bool boolean = from.value.kind == AMQP_FIELD_KIND_BOOLEAN;
    if (!text && !boolean && !number) continue;
    Field& field = message.add_field();
    field.name = name;
    field.type = number ? SLUICE_INTEGER : boolean ? SLUICE_BOOLEAN : SLUICE_STRING;
    if (number)
      field.value = std::to_string(*number);
    else if (boolean)
      field.value = from.value.value.boolean != 0 ? "true" : "false";
    else
      field.value = view(from.value.value.bytes);
  }
}

}  // namespace

amqp_table_entry_t entry(std::string_view key, std::string_view text) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_UTF8);
  made.value.value.bytes = bytes(text);
  return made;
}
amqp_table_entry_t entry(std::string_view key, bool value) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_BOOLEAN);
  made.value.value.boolean = value ? 1 : 0;
  return made;
}

amqp_table_entry_t entry(std::string_view key, const amqp_table_t& table) {
  amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_TABLE);
  made.value.value.table = table;
  return made;
}

amqp_table_entry_t argument(std::string_view key, std::string_view value) {
  if (value == "true" || value == "false") return entry(key, value == "true");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error == std::errc() && end == value.data() + value.size()) {
    amqp_table_entry_t made = entry(key, AMQP_FIELD_KIND_I64);
    made.value.value.i64 = number;
    return made;
  }
  return entry(key, value);
}

void take_properties(const amqp_basic_properties_t& from, Message& message) {
  message.field_count = 0;
  message.counts_deliveries = false;
  message.deliveries = 0;
  const auto take = [&](amqp_flags_t flag, amqp_bytes_t text, std::string& to) {
    to = (from._flags & flag) != 0 ? view(text) : std::string_view();
  };
  take(AMQP_BASIC_CONTENT_TYPE_FLAG, from.content_type, message.content_type);
  take(AMQP_BASIC_CORRELATION_ID_FLAG, from.correlation_id, message.correlation_id);
  take(AMQP_BASIC_MESSAGE_ID_FLAG, from.message_id, message.message_id);
  if ((from._flags & AMQP_BASIC_HEADERS_FLAG) != 0) take_headers(from.headers, message);
}

std::string library_text(int status) {
  std::string said = amqp_error_string2(status);
  if (status == AMQP_STATUS_SSL_PEER_VERIFY_FAILED || status == AMQP_STATUS_SSL_CONNECTION_FAILED) {
    said +=
        ": the server's certificate is not accepted, or it speaks no TLS here; tls.ca_file names the authority to "
        "trust";
  } else if (status == AMQP_STATUS_SSL_HOSTNAME_VERIFY_FAILED) {
    said += ": the server's certificate is for another host than the url names";
  }
  return said;
}

std::string text_of(const amqp_method_t& method, const Asked& asked) {
  if (method.id == AMQP_CHANNEL_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_channel_close_t*>(method.decoded);
    return explained(close.reply_code, view(close.reply_text), asked);
  }
  if (method.id == AMQP_CONNECTION_CLOSE_METHOD) {
    const auto& close = *static_cast<const amqp_connection_close_t*>(method.decoded);
    return explained(close.reply_code, view(close.reply_text), asked);
  }
  return asked.what + ": the server answered with method " + std::to_string(method.id);
}

}  // namespace rabbitmq
