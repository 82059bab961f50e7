#include "letter_lines.hh"

#include "unique_fd.hh"

#include <sluice/cpp/guard.hh>

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <vector>

namespace file_plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadBytes = 256 * 1024;

/// The log and what was rotated away from it, oldest first: rotated names carry their time.
std::vector<std::string> files_of(const std::string& path) {
  const fs::path log(path);
  const std::string prefix = log.filename().string() + ".2";
  std::vector<std::string> files;
  std::error_code error;
  const fs::path folder = log.has_parent_path() ? log.parent_path() : fs::path(".");
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.compare(0, prefix.size(), prefix) == 0 && at->path().extension() != ".gz")
      files.push_back(at->path().string());
  }
  std::sort(files.begin(), files.end());
  files.push_back(path);
  return files;
}

/// The host writes the time of death into the letter's own attributes. 0: the line says nothing.
double died_at(std::string_view line) {
  constexpr std::string_view kName = "\"sluiceerrorlast\":\"";
  const std::size_t found = line.find(kName);
  if (found == std::string_view::npos) return 0;
  std::tm utc{};
  const std::string text(line.substr(found + kName.size(), 32));
  return ::strptime(text.c_str(), "%Y-%m-%dT%H:%M:%S", &utc) == nullptr ? 0 : static_cast<double>(::timegm(&utc));
}

}  // namespace

sluice::LetterFacts LetterLines::ask(std::chrono::milliseconds timeout) {
  const auto end = Clock::now() + timeout;
  sluice::LetterFacts facts;
  for (auto& [inode, counted] : counted_) counted.seen = false;
  for (const std::string& file : files_of(path_)) count(file, end, facts);
  for (auto at = counted_.begin(); at != counted_.end();) at = at->second.seen ? std::next(at) : counted_.erase(at);
  return facts;
}

void LetterLines::count(const std::string& file, Clock::time_point end, sluice::LetterFacts& facts) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd && errno == ENOENT) return;
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0) throw sluice::Away(file + ": " + std::strerror(errno));
  Counted& counted = counted_[info.st_ino];
  const auto size = static_cast<std::uint64_t>(info.st_size);
  if (size < counted.bytes) counted = {};  // it was cut, or the number belongs to another file now
  counted.seen = true;
  std::vector<char> room(kReadBytes);
  for (std::uint64_t at = counted.bytes; at < size;) {
    if (Clock::now() >= end) throw sluice::Away(file + ": not all of it is counted yet");
    const ssize_t got = ::pread(fd.get(), room.data(), room.size(), static_cast<off_t>(at));
    if (got <= 0) break;
    const std::string_view text(room.data(), static_cast<std::size_t>(got));
    if (at == 0) counted.first_unix_s = died_at(text.substr(0, text.find('\n')));
    counted.lines += static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
    at += text.size();
    if (const std::size_t last = text.rfind('\n'); last != std::string_view::npos)
      counted.bytes = at - text.size() + last + 1;
  }
  if (counted.lines == 0) return;
  if (facts.letters == 0) {  // this is the oldest file that holds any
    const double first_s = counted.first_unix_s > 0 ? counted.first_unix_s : static_cast<double>(info.st_mtim.tv_sec);
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    facts.oldest_age_s = std::chrono::duration<double>(now).count() - first_s;
  }
  facts.letters += counted.lines;
}

}  // namespace file_plugin
