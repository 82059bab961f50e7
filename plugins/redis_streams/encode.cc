#include "encode.hh"

#include <charconv>
#include <vector>

namespace redis_streams {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char buffer[24];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, number).ptr);
}

}  // namespace

void append_word(std::string& out, std::string_view word) {
  out += '$';
  append_number(out, word.size());
  out += "\r\n";
  out += word;
  out += "\r\n";
}

std::string list_head(std::size_t words) { return "*" + std::to_string(words) + "\r\n"; }

std::string words(std::initializer_list<std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) append_word(out, word);
  return out;
}

std::string command(std::initializer_list<std::string_view> all) { return list_head(all.size()) + words(all); }

AddCommand::AddCommand(std::string_view stream, std::string_view field, std::uint64_t max_len) {
  front_ = max_len == 0 ? "*5\r\n" : "*8\r\n";
  append_word(front_, "XADD");
  append_word(front_, stream);
  if (max_len != 0) {
    append_word(front_, "MAXLEN");
    append_word(front_, "~");
    append_word(front_, std::to_string(max_len));
  }
  append_word(front_, "*");
  append_word(front_, field);
  front_ += '$';
}

void AddCommand::append(std::string& out, std::string_view event) const {
  out += front_;
  append_number(out, event.size());
  out += "\r\n";
  out += event;
  out += "\r\n";
}

}  // namespace redis_streams
