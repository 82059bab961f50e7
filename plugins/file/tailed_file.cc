#include "tailed_file.hh"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>

namespace file_plugin {
namespace {

constexpr std::size_t kReadBytesMin = 4096;
constexpr int kLongReadsPerCall = 16;  // so that one endless line does not hold up the lane
constexpr std::size_t kGenerationBytes = 256;

struct stat status_of(int fd) {
  struct stat info {};
  if (::fstat(fd, &info) != 0) throw std::system_error(errno, std::generic_category(), "cannot be examined");
  return info;
}

const char* newline(const char* at, const char* end) {
  return static_cast<const char*>(std::memchr(at, '\n', static_cast<std::size_t>(end - at)));
}

}  // namespace

/// What one call of read() fills.
struct TailedFile::Handout {
  sluice_writer& out;
  std::uint64_t tag_bits;
  std::vector<char>& positions;
  const std::string& prefix;
  std::uint64_t& in_flight;

  /// Blank lines are no records.
  void add(const char* text, std::size_t length, std::uint64_t starts_at, std::uint64_t ends_at, std::uint32_t flags) {
    if (length > 0 && text[length - 1] == '\r') --length;
    if (length == 0) return;
    sluice_record& record = *SLUICE_RECORD(&out, out.count);
    char* const position = positions.data() + std::size_t{out.count} * kPositionBytes;
    std::memcpy(position, prefix.data(), prefix.size());
    const char* const end = std::to_chars(position + prefix.size(), position + kPositionBytes, starts_at).ptr;
    record.ptr = reinterpret_cast<const std::uint8_t*>(text);
    record.len = length;
    record.flags = flags;
    record.tag = tag_bits | ends_at;
    record.position = {position, static_cast<std::uint64_t>(end - position)};
    ++out.count;
    ++in_flight;
  }
};

TailedFile::TailedFile(const std::string& path, std::size_t line_bytes_max)
    : TailedFile(path, UniqueFd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)), line_bytes_max) {}

std::unique_ptr<TailedFile> TailedFile::from_the_beginning() const {
  UniqueFd same(::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3));
  return std::unique_ptr<TailedFile>(new TailedFile(path_, std::move(same), line_bytes_max_));
}

TailedFile::TailedFile(std::string path, UniqueFd fd, std::size_t line_bytes_max)
    : path_(std::move(path)), fd_(std::move(fd)), line_bytes_max_(line_bytes_max) {
  if (!fd_) throw std::system_error(errno, std::generic_category(), "cannot be opened");
  const struct stat info = status_of(fd_.get());
  if (!S_ISREG(info.st_mode)) throw std::system_error(EINVAL, std::generic_category(), "is not a regular file");
  device_ = info.st_dev;
  inode_ = info.st_ino;
  reader_ = is_gz(fd_.get()) ? make_gz_reader(fd_.get()) : make_plain_reader(fd_.get());
  fingerprint_ = fingerprint_now(Fingerprint::kBytesMax);
}

TailedFile::Resumed TailedFile::resume(const CheckpointEntry& entry) {
  if (fingerprint_now(entry.fingerprint.bytes) != entry.fingerprint) return Resumed::other_file;
  if (!compressed() && static_cast<std::uint64_t>(status_of(fd_.get()).st_size) < entry.offset)
    return Resumed::truncated;
  offset_ = settled_ = entry.offset;
  fingerprint_ = entry.fingerprint;
  return Resumed::yes;
}

std::optional<std::uint64_t> TailedFile::size_now() const noexcept {
  struct stat info {};
  if (compressed() || ::fstat(fd_.get(), &info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

void TailedFile::skip_to_end() {
  if (!compressed()) offset_ = settled_ = static_cast<std::uint64_t>(status_of(fd_.get()).st_size);
}

bool TailedFile::read(sluice_writer& out, bool last, std::uint64_t tag_bits, std::vector<char>& positions) {
  positions.resize(std::max<std::size_t>(positions.size(), std::size_t{out.cap} * kPositionBytes));
  if (prefix_.empty()) {
    char first[kGenerationBytes];
    const std::size_t got = reader_->read_at(first, sizeof(first), 0);
    const char* end = newline(first, first + got);
    if (end == nullptr && got < sizeof(first) && !last) return idle_ = true, false;
    name_generation({first, end == nullptr ? got : static_cast<std::size_t>(end - first)});
  }
  Handout to{out, tag_bits, positions, prefix_, in_flight_};
  idle_ = false;
  const bool any = looked_to_ > 0 ? gather_long_line(to, last) : read_lines(to, last);
  if (in_flight_ == 0 && !came_back_ && !refused_) settled_ = offset_;  // blank lines only
  return any;
}

bool TailedFile::read_lines(Handout& to, bool last) {
  sluice_writer& out = to.out;
  char* const bytes = reinterpret_cast<char*>(out.bytes);
  const std::size_t cap = static_cast<std::size_t>(out.bytes_cap);
  const std::size_t wanted =
      std::min<std::size_t>(cap, static_cast<std::size_t>(out.cap) * line_bytes_ + kReadBytesMin);
  std::size_t got = reader_->read_at(bytes, wanted, offset_);
  if (got == wanted && wanted < cap && newline(bytes, bytes + got) == nullptr)
    got = reader_->read_at(bytes, cap, offset_);
  const bool end_of_file = reader_->at_end();

  const char *at = bytes, *const end = bytes + got;
  while (out.count < out.cap) {
    const char* line_end = newline(at, end);
    if (line_end == nullptr) break;
    const auto length = static_cast<std::size_t>(line_end - at);
    const std::uint64_t starts_at = offset_ + static_cast<std::uint64_t>(at - bytes);
    to.add(at, std::min(length, line_bytes_max_), starts_at, starts_at + length + 1, 0);
    cut_lines_ += length > line_bytes_max_ ? 1 : 0;
    at = line_end + 1;
  }
  const bool rest_is_line = last && end_of_file && out.count < out.cap && at != end && newline(at, end) == nullptr;
  if (rest_is_line) {
    const std::uint64_t starts_at = offset_ + static_cast<std::uint64_t>(at - bytes);
    const auto length = static_cast<std::size_t>(end - at);
    to.add(at, std::min(length, line_bytes_max_), starts_at, starts_at + length, 0);
    at = end;
  }
  if (out.count > 0) line_bytes_ = (7 * line_bytes_ + static_cast<std::uint64_t>(at - bytes) / out.count) / 8 + 1;
  out.bytes_len = static_cast<std::uint64_t>(at - bytes);
  offset_ += static_cast<std::uint64_t>(at - bytes);
  if (at == bytes && got == cap) {
    looked_to_ = offset_;
    return gather_long_line(to, last);
  }
  idle_ = end_of_file && out.count < out.cap;
  return out.count > 0;
}

bool TailedFile::gather_long_line(Handout& to, bool last) {
  char* const bytes = reinterpret_cast<char*>(to.out.bytes);
  for (int round = 0; round < kLongReadsPerCall; ++round) {
    const std::size_t got = reader_->read_at(bytes, static_cast<std::size_t>(to.out.bytes_cap), looked_to_);
    const char* line_end = newline(bytes, bytes + got);
    const std::size_t part = line_end == nullptr ? got : static_cast<std::size_t>(line_end - bytes);
    const std::size_t keep = std::min(part, line_bytes_max_ - long_line_.size());
    cut_lines_ += keep < part && long_line_.size() < line_bytes_max_ ? 1 : 0;
    long_line_.insert(long_line_.end(), bytes, bytes + keep);
    looked_to_ += part;
    const bool end_of_file = reader_->at_end();
    if (line_end == nullptr && !(last && end_of_file)) {
      if (end_of_file) return idle_ = true, false;
      continue;
    }
    const std::uint64_t ends_at = looked_to_ + (line_end == nullptr ? 0 : 1);
    // Lent to the host with the padding it needs, and deleted when its last reader is done.
    auto* lent = new std::vector<char>(std::move(long_line_));
    const std::size_t length = lent->size();
    lent->resize(length + SLUICE_PADDING);
    to.out.release = [](void* memory) { delete static_cast<std::vector<char>*>(memory); };
    to.out.release_arg = lent;
    to.add(lent->data(), length, offset_, ends_at, SLUICE_PADDED);
    offset_ = ends_at;
    looked_to_ = 0;
    long_line_.clear();
    return true;
  }
  return false;
}

bool TailedFile::still_the_same() {
  const struct stat info = status_of(fd_.get());
  const auto size = static_cast<std::uint64_t>(info.st_size);
  const std::int64_t written_ns = info.st_mtim.tv_sec * 1'000'000'000 + info.st_mtim.tv_nsec;
  const bool changed = size != size_seen_ || written_ns != written_seen_ns_;
  if (compressed()) {
    if (changed && idle_) {  // it is still being written: begin again, and skip what was handed out
      reader_ = make_gz_reader(fd_.get());
      idle_ = false;
    }
  } else if (size < offset_) {
    return false;
  } else if (changed) {
    // Cut back and written again beyond our place: only the first bytes tell.
    if (fingerprint_now(fingerprint_.bytes) != fingerprint_) return false;
    if (fingerprint_.bytes < Fingerprint::kBytesMax) fingerprint_ = fingerprint_now(Fingerprint::kBytesMax);
    idle_ = false;
  }
  size_seen_ = size;
  written_seen_ns_ = written_ns;
  return true;
}

void TailedFile::settled(std::uint64_t end_offset, Settled how) noexcept {
  --in_flight_;
  if (how == Settled::came_back) came_back_ = true;
  if (came_back_) return;
  if (how == Settled::refused) refused_ = true;
  const std::uint64_t to = in_flight_ == 0 ? offset_ : end_offset;  // offset_ is past the blank lines too
  (refused_ ? refused_to_ : settled_) = to;
  rewinds = 0;
}

void TailedFile::pass_refused() noexcept {
  if (!refused_) return;
  refused_ = false;
  settled_ = refused_to_;
}

void TailedFile::rewind() {
  offset_ = settled_;
  looked_to_ = 0;
  long_line_.clear();
  came_back_ = false;
  idle_ = false;
  ++rewinds;
}

CheckpointEntry TailedFile::entry(std::int64_t now_s) {
  if (fingerprint_.bytes < Fingerprint::kBytesMax) fingerprint_ = fingerprint_now(Fingerprint::kBytesMax);
  return {inode_, settled_, fingerprint_, now_s, path_};
}

Fingerprint TailedFile::fingerprint_now(std::uint32_t bytes) const {
  char first[Fingerprint::kBytesMax];
  const ssize_t got = ::pread(fd_.get(), first, bytes, 0);
  const std::size_t length = got > 0 ? static_cast<std::size_t>(got) : 0;
  return {static_cast<std::uint32_t>(length), hash_bytes({first, length})};
}

void TailedFile::name_generation(std::string_view first_bytes) {
  // The inode and the offset alone would name other events after the file was truncated or its inode used again.
  char hash[17];
  const char* end = std::to_chars(hash, hash + 16, hash_bytes(first_bytes), 16).ptr;
  prefix_ = std::to_string(inode_) + ":" + std::string(hash, static_cast<std::size_t>(end - hash)) + ":";
}

}  // namespace file_plugin
