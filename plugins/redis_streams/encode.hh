// Events into XADD commands (RESP, the wire format of Redis). Pure.
//
// Every command of a stream is the same but for the event at its end, so the front is made once. The client library's
// own formatter allocates for each command and costs more than sending it; a test compares both byte by byte.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace redis_streams {

/// A whole command from its words.
[[nodiscard]] std::string command(std::initializer_list<std::string_view> words);

/// Its parts, for commands of many words: the head with the number of words, then words.
[[nodiscard]] std::string list_head(std::size_t words);
[[nodiscard]] std::string words(std::initializer_list<std::string_view> words);
void append_word(std::string& out, std::string_view word);

class AddCommand {
 public:
  /// max_len 0: the stream is not trimmed by length.
  AddCommand(std::string_view stream, std::string_view field, std::uint64_t max_len);
  /// Appends XADD stream [MAXLEN ~ max_len] * field event.
  void append(std::string& out, std::string_view event) const;

 private:
  std::string front_;  // up to and with the '$' of the last word
};

}  // namespace redis_streams
