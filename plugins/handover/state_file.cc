#include "state_file.hh"

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

namespace handover {
namespace {

constexpr std::string_view kHeader = "sluice handover state 1\n";
constexpr std::uint64_t kGrowthBytesMin = 1024 * 1024;

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw std::system_error(errno, std::generic_category(), path);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace

StateFile::~StateFile() {
  if (fd_ >= 0) ::close(fd_);
}

void StateFile::open(Jobs& jobs) {
  std::error_code ignored;
  const auto folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::open(path_.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) throw sluice::BadConfig("state " + path_ + " cannot be opened for writing: " + std::strerror(errno));
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    throw sluice::Away("state " + path_ + " is in use by another process or node: give each a file of its own");
  }
  std::ifstream in(path_, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::string_view rest = text;
  if (!rest.empty() && !rest.starts_with(kHeader) && kHeader.substr(0, rest.size()) != rest) {
    throw sluice::BadConfig("state " + path_ + " is not a state file of this program: give another path");
  }
  rest.remove_prefix(std::min(kHeader.size(), rest.size()));
  for (std::size_t number = 2; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) break;  // half a line: its batch was never passed on
    if (!jobs.replay(rest.substr(0, end))) {
      throw sluice::BadConfig("state " + path_ + ":" + std::to_string(number) +
                              ": damaged line: move the file away to forget the jobs");
    }
    rest.remove_prefix(end + 1);
  }
  write_anew(jobs);
}

void StateFile::append(std::string_view lines, const Jobs& jobs) {
  if (behind_ || bytes_ > 3 * snapshot_bytes_ + kGrowthBytesMin) return write_anew(jobs);
  if (lines.empty()) return;
  behind_ = true;
  write_all(fd_, lines, path_);
  behind_ = false;
  bytes_ += lines.size();
}

void StateFile::write_anew(const Jobs& jobs) {
  behind_ = true;
  const std::string text = std::string(kHeader) + jobs.snapshot();
  const std::string beside = path_ + ".new";
  const int fd = ::open(beside.c_str(), O_RDWR | O_APPEND | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) throw std::system_error(errno, std::generic_category(), beside);
  try {
    write_all(fd, text, beside);
    (void)::flock(fd, LOCK_EX | LOCK_NB);
    if (::rename(beside.c_str(), path_.c_str()) != 0) throw std::system_error(errno, std::generic_category(), path_);
  } catch (...) {
    ::close(fd);
    throw;
  }
  ::close(fd_);
  fd_ = fd;
  bytes_ = snapshot_bytes_ = text.size();
  behind_ = false;
}

}  // namespace handover
