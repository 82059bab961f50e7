#include "journal.hh"

#include <sluice/cpp/guard.hh>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace alerting {
namespace {

constexpr std::string_view kHeader = "sluice alerting state 1\n";
constexpr std::uint64_t kGrowthBytesMin = 1024 * 1024;

[[noreturn]] void fail(const std::string& path) { throw std::system_error(errno, std::generic_category(), path); }

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail(path);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
  if (::fdatasync(fd) != 0) fail(path);
}

void sync_folder(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path();
  const int fd = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return;
  (void)::fsync(fd);
  ::close(fd);
}

}  // namespace

Journal::~Journal() {
  if (fd_ >= 0) ::close(fd_);
}

void Journal::open(Groups& groups) {
  if (path_.empty()) return;
  std::error_code ignored;
  const auto folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (fd_ < 0) throw sluice::BadConfig("state " + path_ + " cannot be opened for writing: " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    throw sluice::Away("state " + path_ + " is in use by another process or node: give each a file of its own");
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::string_view rest = text;
  if (!rest.empty() && rest.substr(0, kHeader.size()) != kHeader && kHeader.substr(0, rest.size()) != rest) {
    throw sluice::BadConfig("state " + path_ + " is not a state file of this program: give another path");
  }
  rest.remove_prefix(std::min(kHeader.size(), rest.size()));
  for (std::size_t number = 2; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;  // half a line: its batch was not accepted
    if (!groups.replay(rest.substr(0, end))) {
      throw sluice::BadConfig("state " + path_ + ":" + std::to_string(number) +
                              ": damaged line: move the file away to begin anew");
    }
    rest.remove_prefix(end + 1);
  }
  write_anew(groups);
}

void Journal::append(const std::string& lines, const Groups& groups) {
  if (fd_ < 0 || (lines.empty() && !behind_)) return;
  if (behind_ || bytes_ > 3 * snapshot_bytes_ + kGrowthBytesMin) return write_anew(groups);
  behind_ = true;
  write_all(fd_, lines, path_);
  behind_ = false;
  bytes_ += lines.size();
}

void Journal::write_anew(const Groups& groups) {
  behind_ = true;
  const std::string text = std::string(kHeader) + groups.snapshot();
  const std::string beside = path_ + ".new";
  const int fd = ::open(beside.c_str(), O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) fail(beside);
  try {
    write_all(fd, text, beside);
    (void)::flock(fd, LOCK_EX | LOCK_NB);
    if (::rename(beside.c_str(), path_.c_str()) != 0) fail(path_);
    sync_folder(path_);
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd_);
  fd_ = fd;
  bytes_ = snapshot_bytes_ = text.size();
  behind_ = false;
}

}  // namespace alerting
