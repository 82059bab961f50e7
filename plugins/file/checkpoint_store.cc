#include "checkpoint_store.hh"

#include <sluice/cpp/guard.hh>

#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace file_plugin {
namespace {

std::system_error failed(const std::string& what) { return {errno, std::generic_category(), what}; }

void write_all(int fd, std::string_view text, const std::string& path) {
  while (!text.empty()) {
    const ssize_t put = ::write(fd, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) throw failed(path);
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

}  // namespace

std::vector<CheckpointEntry> CheckpointStore::open() {
  const std::string lock_path = path_ + ".lock";
  std::error_code ignored;
  const auto folder = std::filesystem::path(path_).parent_path();
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  lock_ = UniqueFd(::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lock_) throw sluice::BadConfig("checkpoint " + path_ + " cannot be written: " + std::strerror(errno));
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw sluice::Away("checkpoint " + path_ +
                       " is in use by another source: give each source a checkpoint of its own");
  }
  std::ifstream in(path_, std::ios::binary);
  if (!in) {
    if (std::filesystem::exists(path_)) throw sluice::BadConfig("checkpoint " + path_ + " cannot be read");
    return {};
  }
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  try {
    return parse_checkpoint(text);
  } catch (const std::exception& e) {
    throw sluice::BadConfig("checkpoint " + path_ + " is damaged (" + e.what() +
                            "): move it away to begin as 'from' says");
  }
}

void CheckpointStore::write(const std::vector<CheckpointEntry>& entries) const {
  const std::string beside = path_ + ".new";
  const UniqueFd fd(::open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!fd) throw failed(beside);
  write_all(fd.get(), print_checkpoint(entries), beside);
  if (fsync_ && ::fdatasync(fd.get()) != 0) throw failed(beside);
  if (::rename(beside.c_str(), path_.c_str()) != 0) throw failed(path_);
}

}  // namespace file_plugin
