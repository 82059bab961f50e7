#include "cache_file.hh"

#include "compiled_schema.hh"

#include <sluice/cpp/guard.hh>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace validation {
namespace {

constexpr std::string_view kHeader = "sluice schema cache 1 ";

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw std::system_error(errno, std::generic_category(), path);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

template <class Number>
bool read_number(const JsonTree* value, Number& number) {
  if (value == nullptr || !value->is(JsonTree::Kind::number)) return false;
  const std::string& text = value->text;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_text(const JsonTree* value, std::string& text) {
  if (value == nullptr || !value->is(JsonTree::Kind::text)) return false;
  text = value->text;
  return true;
}

}  // namespace

std::string line_of(const KeptSchema& kept) {
  std::string line = "{";
  const auto text = [&](const char* key, const std::string& value) {
    line.append("\"").append(key).append("\":\"");
    sluice::append_json_escaped(line, value);
    line.append("\",");
  };
  text("path", kept.path);
  text("subject", kept.fetched.subject);
  line.append("\"id\":").append(std::to_string(kept.fetched.id));
  line.append(",\"version\":").append(std::to_string(kept.fetched.version));
  line.append(",\"fetched\":").append(std::to_string(kept.fetched_unix_s)).append(",");
  text("schema", kept.fetched.text);
  line.back() = '}';
  return line += '\n';
}

bool read_line(std::string_view line, KeptSchema& kept) {
  try {
    const JsonTree tree = json_tree(line);
    return read_text(tree.find("path"), kept.path) && read_text(tree.find("subject"), kept.fetched.subject) &&
           read_number(tree.find("id"), kept.fetched.id) && read_number(tree.find("version"), kept.fetched.version) &&
           read_number(tree.find("fetched"), kept.fetched_unix_s) && read_text(tree.find("schema"), kept.fetched.text);
  } catch (const BadSchema&) {
    return false;
  }
}

CacheFile::~CacheFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::vector<KeptSchema> CacheFile::open(std::string& complaint) {
  const auto refuse = [&](const std::string& why) {
    throw sluice::BadConfig("registry/cache_file: " + path_ + " " + why);
  };
  std::error_code ignored;
  const auto folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) refuse(std::string("cannot be opened for writing: ") + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    throw sluice::Away("cache_file " + path_ + " is in use by another process or node: give each a file of its own");
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::string_view rest = text;
  std::vector<KeptSchema> all;
  if (rest.empty()) return all;
  if (!rest.starts_with(kHeader)) refuse("is not a schema cache of this program: give another path");
  const std::string_view first = rest.substr(0, rest.find('\n'));
  if (first.substr(kHeader.size()) != registry_) {
    complaint = "the cache file " + path_ + " is of another registry (" + std::string(first.substr(kHeader.size())) +
                ") and is not used; it is written anew";
    return all;
  }
  rest.remove_prefix(std::min(first.size() + 1, rest.size()));
  for (std::size_t number = 2; !rest.empty(); ++number) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    KeptSchema kept;
    if (read_line(line, kept)) {
      all.push_back(std::move(kept));
    } else if (complaint.empty()) {
      complaint = path_ + ":" + std::to_string(number) + ": a damaged line is left out; its schema is fetched again";
    }
  }
  return all;
}

void CacheFile::write(std::string_view lines) {
  const std::string beside = path_ + ".new";
  const int fd = ::open(beside.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), beside);
  try {
    write_all(fd, std::string(kHeader) + registry_ + "\n", beside);
    write_all(fd, lines, beside);
    (void)::flock(fd, LOCK_EX | LOCK_NB);
    if (::fdatasync(fd) != 0) throw std::system_error(errno, std::generic_category(), beside);
    if (::rename(beside.c_str(), path_.c_str()) != 0) throw std::system_error(errno, std::generic_category(), path_);
  } catch (...) {
    ::close(fd);
    throw;
  }
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace validation
