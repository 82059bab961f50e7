#include "file_source.hh"

#include <glob.h>
#include <poll.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <system_error>

namespace file_plugin {
namespace {

constexpr std::size_t kOpenFilesMax = 1000;
constexpr std::size_t kKnownEntriesMax = 1024;        // of files that are not open: the most recently seen are kept
constexpr std::uint64_t kGoneWaitNs = 5'000'000'000;  // how long a writer may go on with a file it renamed
constexpr std::uint64_t kRewindWaitNs = 1'000'000'000;
constexpr std::uint64_t kRewindWaitMaxNs = 30'000'000'000;
constexpr std::uint32_t kRewindsAtEndMax = 3;
constexpr std::uint64_t kLagEveryNs = 1'000'000'000;
constexpr std::uint64_t kSettledPerWrite = 8192;  // a kill repeats no more than this beside what was in flight

std::int64_t unix_seconds() { return static_cast<std::int64_t>(std::time(nullptr)); }

std::vector<std::string> matches(const std::string& pattern) {
  glob_t found{};
  std::vector<std::string> paths;
  if (::glob(pattern.c_str(), GLOB_BRACE | GLOB_TILDE, nullptr, &found) == 0) {
    for (std::size_t i = 0; i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
  }
  ::globfree(&found);
  return paths;
}

bool is_folder(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::is_directory(path, ignored);
}

std::string folder_of(const std::string& path) {
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return folder.empty() ? "." : folder;
}

}  // namespace

FileSource::FileSource(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      globs_(config.texts("paths")),
      sequential_(config.boolean("sequential")),
      from_end_(config.text("from") == "end"),
      stop_at_end_(config.boolean("stop_at_end")),
      look_every_ns_(static_cast<std::uint64_t>(config.integer("poll_interval")) * 1'000'000),
      write_every_ns_(static_cast<std::uint64_t>(config.integer("checkpoint_interval")) * 1'000'000),
      line_bytes_max_(static_cast<std::size_t>(config.integer("max_line_bytes"))),
      lag_(host.cell(SLUICE_GAUGE, "source_lag_bytes",
                     "Bytes of the files that are not settled yet; compressed files are not counted.")) {
  if (config.has("checkpoint")) store_.emplace(config.text("checkpoint"), config.boolean("checkpoint_fsync"));
}

FileSource::~FileSource() {
  if (dirty_) write_checkpoint();
}

void FileSource::start(std::chrono::milliseconds) {
  if (store_) known_ = store_->open();
  look_for_files(true);
  dirty_ = true;  // where `from: end` began is worth keeping before the first event settles
  std::string missing;
  for (const std::string& glob : globs_) {
    if (matches(glob).empty()) missing += (missing.empty() ? "" : ", ") + glob;
  }
  if (stop_at_end_ && !missing.empty()) throw sluice::BadConfig("paths: there is no file at " + missing);
  if (stop_at_end_ && !reported_.empty()) throw sluice::BadConfig("paths: cannot be read: " + *reported_.begin());
  if (!missing.empty()) host_.log(SLUICE_LOG_INFO, "no file at " + missing + " yet; waiting for one");
}

std::uint64_t FileSource::input_bytes() const {
  bool all_known = true;
  const std::uint64_t bytes = stop_at_end_ ? unsettled_bytes(all_known) : 0;
  return all_known ? bytes : 0;
}

/// Of the open files. A compressed one does not say how much it holds.
std::uint64_t FileSource::unsettled_bytes(bool& all_known) const {
  std::uint64_t bytes = 0;
  for (const Open& open : files_) {
    const std::optional<std::uint64_t> size = open.file->size_now();
    if (!size) all_known = false;
    const std::uint64_t settled = open.file->settled_offset();
    if (size && *size > settled && !open.file->replaced) bytes += *size - settled;
  }
  return bytes;
}

void FileSource::show_lag() {
  if (host_.now_ns() < lag_at_ns_) return;
  lag_at_ns_ = host_.now_ns() + kLagEveryNs;
  bool all_known = true;
  sluice::set(lag_, static_cast<double>(unsettled_bytes(all_known)));
}

void FileSource::look_for_files(bool first_time) {
  look_at_ns_ = host_.now_ns() + look_every_ns_;
  for (Open& open : files_) open.file->gone = true;
  for (const std::string& glob : globs_) {
    if (is_folder(folder_of(glob))) watch_.add(folder_of(glob));
    for (const std::string& path : matches(glob)) found(path, first_time);
  }
  for (Open& open : files_) {
    if (open.file->gone && open.file->gone_ns == 0) open.file->gone_ns = host_.now_ns();
    if (!open.file->gone) open.file->gone_ns = 0;
  }
}

void FileSource::found(const std::string& path, bool first_time) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || S_ISDIR(info.st_mode)) return;
  const TailedFile* before = nullptr;
  for (Open& open : files_) {
    if (open.file->replaced) continue;
    if (open.file->inode() == info.st_ino && open.file->device() == info.st_dev) {
      open.file->gone = false;
      open.file->renamed(path);
      return;
    }
    if (open.file->path() == path) before = open.file.get();
  }
  if (files_.size() >= kOpenFilesMax) return report(path, "is left out: 1000 files are open already");
  try {
    auto file = std::make_unique<TailedFile>(path, line_bytes_max_);
    reported_.erase(path);
    watch_.add(folder_of(path));
    file->after = before != nullptr || !sequential_ || files_.empty() ? before : files_.back().file.get();
    begin(*file, first_time);
    add(std::move(file));
  } catch (const std::system_error& e) {
    report(path, e.what());
  }
}

void FileSource::add(std::unique_ptr<TailedFile> file) {
  if (free_slots_.empty()) {
    free_slots_.push_back(slots_.size());
    slots_.push_back(nullptr);
  }
  const std::uint64_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot] = file.get();
  files_.push_back({std::move(file), slot});
}

void FileSource::begin(TailedFile& file, bool first_time) {
  const auto entry = std::find_if(known_.begin(), known_.end(),
                                  [&](const CheckpointEntry& known) { return known.inode == file.inode(); });
  if (entry == known_.end()) {
    if (first_time && from_end_) file.skip_to_end();
    return;
  }
  const TailedFile::Resumed resumed = file.resume(*entry);
  if (resumed == TailedFile::Resumed::truncated) {
    host_.log(SLUICE_LOG_WARN, file.path() + " is shorter than when it was last read: reading it from its beginning");
  }
  known_.erase(entry);
}

void FileSource::report(const std::string& path, const std::string& problem) {
  if (reported_.insert(path).second) host_.log(SLUICE_LOG_ERROR, path + ": " + problem);
}

bool FileSource::reads_last_line(const TailedFile& file) const { return stop_at_end_ || file.ending; }

bool FileSource::readable(const TailedFile& file) const {
  return !file.idle() && !file.came_back() && (file.after == nullptr || file.after->idle());
}

sluice_status FileSource::pull(sluice_writer& out) {
  if (stopped_) return SLUICE_END;
  for (Open& open : files_) open.file->pass_refused();
  for (std::size_t tried = 0; tried < files_.size(); ++tried) {
    Open& open = files_[turn_++ % files_.size()];
    if (!readable(*open.file)) continue;
    try {
      const std::uint64_t tag_bits = open.slot << TailedFile::kOffsetBits;
      const bool any = open.file->read(out, reads_last_line(*open.file), tag_bits, positions_);
      if (!open.file->error().empty()) report(open.file->path(), std::string(open.file->error()));
      if (any) return SLUICE_OK;
    } catch (const std::system_error& e) {
      report(open.file->path(), e.what());
      open.file->sleep();
    }
  }
  return stop_at_end_ && all_read() ? SLUICE_END : SLUICE_AGAIN;
}

bool FileSource::all_read() const {
  return std::all_of(files_.begin(), files_.end(), [](const Open& open) {
    const TailedFile& file = *open.file;
    if (file.came_back()) return file.in_flight() == 0 && file.rewinds >= kRewindsAtEndMax;
    return file.idle();
  });
}

namespace {

TailedFile::Settled how_settled(const sluice_settlement& one) {
  if (one.outcome != SLUICE_NOT_DELIVERED) return TailedFile::Settled::done;
  return one.code == SLUICE_CODE_HALTED ? TailedFile::Settled::refused : TailedFile::Settled::came_back;
}

}  // namespace

void FileSource::settle(sluice::SettlementsView all) {
  for (std::uint32_t i = 0; i < all.size(); ++i) {
    const sluice_settlement& one = all[i];
    TailedFile& file = *slots_[one.tag >> TailedFile::kOffsetBits];
    file.settled(one.tag & TailedFile::kOffsetMask, how_settled(one));
  }
  dirty_ = true;
  settled_since_write_ += all.size();
  if (settled_since_write_ >= kSettledPerWrite) write_at_ns_ = 0;
  if (stopped_ && host_.now_ns() >= write_at_ns_) write_checkpoint();
}

void FileSource::rewind_where_due() {
  const std::uint64_t now = host_.now_ns();
  for (Open& open : files_) {
    TailedFile& file = *open.file;
    if (!file.came_back() || file.in_flight() > 0 || stopped_) continue;
    if (stop_at_end_ && file.rewinds >= kRewindsAtEndMax) continue;
    if (file.rewind_at_ns == 0) {
      const std::uint64_t wait = std::min(kRewindWaitNs << std::min(file.rewinds, 5u), kRewindWaitMaxNs);
      file.rewind_at_ns = now + wait;
      host_.log(SLUICE_LOG_WARN, file.path() + ": an event was not delivered; reading again from offset " +
                                     std::to_string(file.settled_offset()));
    } else if (now >= file.rewind_at_ns) {
      file.rewind_at_ns = 0;
      file.rewind();
    }
  }
}

void FileSource::check(std::size_t index) {
  Open& open = files_[index];
  if (open.file->still_the_same()) return;
  host_.log(SLUICE_LOG_INFO, open.file->path() + " was truncated: reading it from its beginning");
  auto fresh = open.file->from_the_beginning();
  // What is in flight of the old contents still settles there; nothing more is read of it.
  open.file->sleep();
  open.file->replaced = true;
  add(std::move(fresh));
}

void FileSource::check_all() {
  for (std::size_t i = 0, count = files_.size(); i < count; ++i) {
    if (files_[i].file->idle() && !files_[i].file->replaced) check(i);
  }
}

void FileSource::take_notices() {
  const DirectoryWatch::Changes changes = watch_.take();
  if (changes.names) look_at_ns_ = 0;
  for (const std::string& path : changes.written) {
    for (std::size_t i = 0, count = files_.size(); i < count; ++i) {
      const TailedFile& file = *files_[i].file;
      if (file.idle() && !file.replaced && (file.path() == path || "./" + file.path() == path)) check(i);
    }
  }
}

bool FileSource::finished(const TailedFile& file) const {
  if (file.in_flight() > 0 || file.came_back()) return false;
  return file.replaced || (file.ending && file.gone && file.idle());
}

void FileSource::close_finished() {
  for (Open& open : files_) {
    TailedFile& file = *open.file;
    const bool overdue = file.gone && file.idle() && host_.now_ns() - file.gone_ns >= kGoneWaitNs;
    if (overdue && !file.ending) {
      file.ending = true;
      file.wake();
    }
  }
  for (std::size_t i = 0; i < files_.size();) {
    Open& open = files_[i];
    if (!finished(*open.file)) {
      ++i;
      continue;
    }
    for (Open& other : files_) {
      if (other.file->after == open.file.get()) other.file->after = nullptr;
    }
    if (!open.file->replaced) known_.push_back(open.file->entry(unix_seconds()));
    slots_[open.slot] = nullptr;
    free_slots_.push_back(open.slot);
    files_.erase(files_.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

sluice_status FileSource::poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room) {
  const std::uint64_t now = host_.now_ns();
  show_lag();
  if (!stopped_) {
    take_notices();
    if (now >= look_at_ns_) {
      if (stop_at_end_)
        look_at_ns_ = now + look_every_ns_;
      else
        look_for_files(false);
      check_all();
    }
    rewind_where_due();
    close_finished();
  }
  if (dirty_ && now >= write_at_ns_) write_checkpoint();
  const bool has_work = !stopped_ && room > 0 &&
                        (std::any_of(files_.begin(), files_.end(), [&](const Open& o) { return readable(*o.file); }) ||
                         (stop_at_end_ && all_read()));
  std::uint64_t until = stopped_ ? UINT64_MAX : look_at_ns_;
  if (dirty_) until = std::min(until, write_at_ns_);
  for (const Open& open : files_) {
    if (open.file->rewind_at_ns != 0) until = std::min(until, open.file->rewind_at_ns);
  }
  auto wait_ms = static_cast<std::int64_t>(timeout.count());
  if (until != UINT64_MAX) {
    const auto until_due = static_cast<std::int64_t>(until <= now ? 0 : (until - now + 999'999) / 1'000'000);
    wait_ms = wait_ms < 0 ? until_due : std::min(wait_ms, until_due);
  }
  if (has_work || wait_ms == 0) return SLUICE_OK;
  pollfd both[2] = {{wake_fd, POLLIN, 0}, {room > 0 && !stopped_ ? watch_.fd() : -1, POLLIN, 0}};
  (void)::poll(both, 2, static_cast<int>(wait_ms));
  if (!stopped_ && room > 0) take_notices();
  return SLUICE_OK;
}

void FileSource::stop(std::chrono::milliseconds) {
  stopped_ = true;
  if (dirty_) write_checkpoint();
}

void FileSource::write_checkpoint() {
  write_at_ns_ = host_.now_ns() + write_every_ns_;
  dirty_ = false;
  settled_since_write_ = 0;
  if (!store_) return;
  if (known_.size() > kKnownEntriesMax) {
    std::sort(known_.begin(), known_.end(), [](const auto& a, const auto& b) { return a.seen_s > b.seen_s; });
    known_.resize(kKnownEntriesMax);
  }
  std::vector<CheckpointEntry> entries = known_;
  for (Open& open : files_) {
    if (!open.file->replaced) entries.push_back(open.file->entry(unix_seconds()));
  }
  try {
    store_->write(entries);
    if (write_failed_) host_.log(SLUICE_LOG_INFO, "checkpoint " + store_->path() + " is written again");
    write_failed_ = false;
  } catch (const std::system_error& e) {
    if (!write_failed_) host_.log(SLUICE_LOG_ERROR, "checkpoint cannot be written: " + std::string(e.what()));
    write_failed_ = true;
    dirty_ = true;
  }
}

}  // namespace file_plugin
