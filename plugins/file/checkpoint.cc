#include "checkpoint.hh"

#include <array>
#include <charconv>
#include <stdexcept>

namespace file_plugin {
namespace {

constexpr std::string_view kHeader = "sluice file checkpoint 1";

[[noreturn]] void wrong(std::size_t line, const std::string& what) {
  throw std::runtime_error("line " + std::to_string(line) + ": " + what);
}

/// Paths may hold any byte but NUL; a newline would break the line.
std::string escaped(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (c == '\n')
      out += "\\n";
    else if (c == '\\')
      out += "\\\\";
    else
      out += c;
  }
  return out;
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size())
      out += text[++i] == 'n' ? '\n' : text[i];
    else
      out += text[i];
  }
  return out;
}

/// Takes a number and the space behind it.
std::uint64_t take_number(std::string_view& text, std::size_t line) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const auto used = static_cast<std::size_t>(end - text.data());
  if (error != std::errc() || used >= text.size() || *end != ' ') wrong(line, "a number is expected");
  text.remove_prefix(used + 1);
  return value;
}

CheckpointEntry parse_entry(std::string_view text, std::size_t line) {
  CheckpointEntry entry;
  entry.inode = take_number(text, line);
  entry.offset = take_number(text, line);
  entry.fingerprint.bytes = static_cast<std::uint32_t>(take_number(text, line));
  entry.fingerprint.hash = take_number(text, line);
  entry.seen_s = static_cast<std::int64_t>(take_number(text, line));
  entry.path = unescaped(text);
  if (entry.fingerprint.bytes > Fingerprint::kBytesMax) wrong(line, "the fingerprint covers too many bytes");
  return entry;
}

}  // namespace

/// FNV-1a: it only has to tell files apart, not to withstand anyone.
std::uint64_t hash_bytes(std::string_view bytes) noexcept {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

std::string print_checkpoint(const std::vector<CheckpointEntry>& entries) {
  std::string out(kHeader);
  out += '\n';
  for (const CheckpointEntry& entry : entries) {
    for (const std::uint64_t number :
         std::array<std::uint64_t, 5>{entry.inode, entry.offset, entry.fingerprint.bytes, entry.fingerprint.hash,
                                      static_cast<std::uint64_t>(entry.seen_s)}) {
      out += std::to_string(number) + " ";
    }
    out += escaped(entry.path) + "\n";
  }
  return out + "end " + std::to_string(entries.size()) + "\n";
}

std::vector<CheckpointEntry> parse_checkpoint(std::string_view text) {
  std::vector<CheckpointEntry> entries;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) wrong(line, "cut off in the middle");
    const std::string_view one = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line == 1) {
      if (one != kHeader) wrong(line, "'" + std::string(kHeader) + "' is expected");
    } else if (one.substr(0, 4) == "end ") {
      if (one.substr(4) != std::to_string(entries.size()) || !text.empty()) wrong(line, "the count does not agree");
      return entries;
    } else {
      entries.push_back(parse_entry(one, line));
    }
  }
  throw std::runtime_error("its last line is missing");
}

}  // namespace file_plugin
