// librabbitmq, and its values as ours. This file alone includes the library.
#pragma once

#include "answer.hh"
#include "message.hh"

#if __has_include(<rabbitmq-c/amqp.h>)
#include <rabbitmq-c/amqp.h>
#include <rabbitmq-c/ssl_socket.h>
#include <rabbitmq-c/tcp_socket.h>
#else
#include <amqp.h>
#include <amqp_ssl_socket.h>
#include <amqp_tcp_socket.h>
#endif

#include <string>
#include <string_view>
#include <vector>

namespace rabbitmq {

inline amqp_bytes_t bytes(std::string_view text) {
  return {.len = text.size(), .bytes = const_cast<char*>(text.data())};  // the library never writes to it
}
inline std::string_view view(amqp_bytes_t text) {
  return text.bytes == nullptr ? std::string_view() : std::string_view(static_cast<const char*>(text.bytes), text.len);
}

// What goes into tables. Everything is a view.
[[nodiscard]] amqp_table_entry_t entry(std::string_view key, std::string_view text);
[[nodiscard]] amqp_table_entry_t entry(std::string_view key, bool value);
[[nodiscard]] amqp_table_entry_t entry(std::string_view key, const amqp_table_t& table);
/// An argument as it stands in a configuration: numbers and booleans as such, anything else a text.
[[nodiscard]] amqp_table_entry_t argument(std::string_view key, std::string_view value);
[[nodiscard]] inline amqp_table_t table(std::vector<amqp_table_entry_t>& entries) {
  return {.num_entries = static_cast<int>(entries.size()), .entries = entries.data()};
}

/// A received message's properties and headers, in the place of the one before.
void take_properties(const amqp_basic_properties_t& from, Message& message);

/// A status of the library, for people.
[[nodiscard]] std::string library_text(int status);
/// What the server said when it closed channel or connection instead of doing what it was asked.
[[nodiscard]] std::string text_of(const amqp_method_t& method, const Asked& asked);

}  // namespace rabbitmq
