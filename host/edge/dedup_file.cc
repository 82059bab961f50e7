#include "edge/dedup_file.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace sluice {
namespace {

constexpr std::int64_t kVersion = 1;       // of the table
constexpr std::int64_t kTidyRows = 5'000;  // removed in one transaction at most
constexpr int kSetAsideMost = 100;         // damaged files kept beside the new one

std::array<char, 16> bytes_of(const KeyHash& key) {
  std::array<char, 16> bytes{};
  std::memcpy(bytes.data(), &key.high, 8);
  std::memcpy(bytes.data() + 8, &key.low, 8);
  return bytes;
}

}  // namespace

DedupFile::DedupFile(std::string path, std::chrono::milliseconds ttl, std::uint64_t max_keys, Log& log)
    : path_(std::move(path)), ttl_ms_(ttl.count()), max_keys_(static_cast<std::int64_t>(max_keys)), log_(log) {}

DedupFile::~DedupFile() {
  insert_ = {};
  remove_ = {};
  file_.reset();
  if (lock_fd_ >= 0) ::close(lock_fd_);  // last: until here nobody else opens the file
}

/// Two processes with the same keys would each miss what the other one delivers. The lock is on a file beside, since
/// SQLite's own locks are per transaction, and it ends with the process however that ends.
void DedupFile::lock() {
  if (lock_fd_ >= 0) return;
  const std::string name = path_ + ".lock";
  const int fd = ::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) throw StoreError(StoreError::Kind::unopened, path_ + ": cannot be locked: " + std::strerror(errno));
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
    char owner[32] = {};
    const bool known = ::pread(fd, owner, sizeof owner - 1, 0) > 0;
    ::close(fd);
    throw StoreError(StoreError::Kind::busy, path_ + " is in use by another process" +
                                                 (known ? " (" + std::string(owner) + ")" : "") +
                                                 "; give each host its own file, or use a store that hosts share");
  }
  const std::string mine = std::to_string(::getpid());
  (void)!::ftruncate(fd, 0);
  (void)!::pwrite(fd, mine.data(), mine.size(), 0);
  lock_fd_ = fd;
}

void DedupFile::open() {
  insert_ = {};
  remove_ = {};
  file_.emplace(path_);
  Statement check = file_->prepare("PRAGMA quick_check(1)");
  if (!check.step() || check.text(0) != "ok") {
    throw StoreError(StoreError::Kind::corrupt, path_ + ": " + std::string(check.text(0)));
  }
  check = {};
  const std::int64_t version = file_->version();
  if (version > kVersion) {
    throw StoreError(StoreError::Kind::unopened, path_ + " was made by a newer version of this program (" +
                                                     std::to_string(version) + ", this one knows " +
                                                     std::to_string(kVersion) + ")");
  }
  if (version == 0) {
    Sqlite::Transaction change(*file_);
    file_->run("CREATE TABLE keys(id INTEGER PRIMARY KEY, key BLOB NOT NULL, at_ms INTEGER NOT NULL)");
    file_->set_version(kVersion);
    change.commit();
  }
  insert_ = file_->prepare("INSERT INTO keys(key, at_ms) VALUES(?1, ?2)");
  remove_ = file_->prepare(
      "DELETE FROM keys WHERE id IN (SELECT id FROM keys ORDER BY id LIMIT ?1)"
      " AND (at_ms <= ?2 OR id <= (SELECT max(id) FROM keys) - ?3)");
}

/// A file that cannot be read is kept for whoever wants to look, and a new one takes its place. The keys in it are
/// forgotten: their duplicates will pass.
std::string DedupFile::set_aside(const std::string& why) {
  insert_ = {};
  remove_ = {};
  file_.reset();
  std::string aside = path_ + ".corrupt";
  for (int i = 2; i <= kSetAsideMost && std::filesystem::exists(aside); ++i) {
    aside = path_ + ".corrupt" + std::to_string(i);
  }
  std::error_code error;
  for (const char* part : {"", "-wal", "-shm"}) std::filesystem::rename(path_ + part, aside + part, error);
  std::string text = path_ + " was damaged and is set aside as " + aside +
                     "; the keys in it are forgotten, and their duplicates will pass";
  const Field fields[] = {{"reason", why, false}};
  log_.write(Level::error, text, fields);
  open();
  return text;
}

Status DedupFile::start(std::chrono::milliseconds) {
  try {
    lock();
    try {
      open();
    } catch (const StoreError& error) {
      if (error.kind() != StoreError::Kind::corrupt) throw;
      return {SLUICE_OK, set_aside(error.what())};
    }
  } catch (const StoreError& error) {
    return {SLUICE_FAILED, error.what()};
  }
  return {};
}

void DedupFile::load(const std::function<void(const KeyHash&, std::int64_t unix_ms)>& take) {
  try {
    Statement rows = file_->prepare(
        "SELECT key, at_ms FROM keys WHERE id > (SELECT coalesce(max(id), 0) FROM keys) - ?1 ORDER BY id");
    rows.bind(1, max_keys_);
    while (rows.step()) {
      const std::string_view bytes = rows.text(0);
      if (bytes.size() != 16) continue;
      KeyHash key;
      std::memcpy(&key.high, bytes.data(), 8);
      std::memcpy(&key.low, bytes.data() + 8, 8);
      take(key, rows.number(1));
    }
  } catch (const StoreError& error) {
    (void)set_aside(error.what());  // what was read until here is known
  }
}

/// The lane above knows every key.
Status DedupFile::lookup(std::span<const KeyHash>, std::uint8_t*) {
  return {SLUICE_UNSUPPORTED, "a file of one's own is not asked"};
}

Status DedupFile::record(std::span<const KeyHash> keys, std::int64_t unix_ms) {
  try {
    if (!file_) open();
    Sqlite::Transaction all(*file_);
    for (const KeyHash& key : keys) {
      const auto bytes = bytes_of(key);
      insert_.bind_bytes(1, {bytes.data(), bytes.size()}).bind(2, unix_ms).run();
    }
    all.commit();
  } catch (const StoreError& error) {
    if (error.kind() != StoreError::Kind::corrupt) return {SLUICE_AWAY, error.what()};
    try {
      return {SLUICE_AWAY, set_aside(error.what())};  // the same keys come again, into the new file
    } catch (const StoreError& second) {
      file_.reset();
      return {SLUICE_AWAY, second.what()};
    }
  }
  return {};
}

bool DedupFile::tidy(std::int64_t unix_ms) {
  if (!file_) return false;
  try {
    remove_.bind(1, kTidyRows).bind(2, unix_ms - ttl_ms_).bind(3, max_keys_).run();
    return file_->changes() == static_cast<std::uint64_t>(kTidyRows);
  } catch (const StoreError&) {
    return false;  // the next record() meets the same fault, and says it
  }
}

}  // namespace sluice
