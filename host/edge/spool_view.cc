#include "edge/spool_view.hh"

#include "core/exit_code.hh"
#include "core/setup_error.hh"
#include "edge/spool_files.hh"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

namespace sluice {
namespace {

namespace fs = std::filesystem;

std::string read_all(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Asked without waiting, and without keeping anybody out for longer than this call.
std::string owner_of(const std::string& folder) {
  const std::string path = folder + "/" + kSpoolLockName;
  const SpoolFile lock(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!lock.is_open() || ::flock(lock.fd(), LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return {};
  const std::string text = read_all(path);
  return text.empty() ? "somebody" : text.substr(0, text.find('\n'));
}

}  // namespace

bool is_spool(const std::string& folder) {
  std::error_code error;
  if (fs::exists(folder + "/" + kSpoolLockName, error) && fs::exists(folder + "/" + kSpoolRejectedName, error)) {
    return true;
  }
  std::vector<SpoolFileFacts> segments;
  std::string why;
  return list_segments(folder, segments, why) && !segments.empty();
}

SpoolView look_at_spool(const std::string& folder) {
  SpoolView spool;
  spool.folder = folder;
  std::string why;
  if (!list_segments(folder, spool.segments, why)) throw SetupError(why, kUsage);
  const std::string cursor = read_all(folder + "/" + kSpoolCursorName);
  spool.cursor_there = !cursor.empty();
  spool.cursor_good = SpoolCursor::decode(cursor, spool.cursor);
  if (!spool.cursor_good) spool.cursor = SpoolCursor(spool.segments.empty() ? 1 : spool.segments.front().first);
  spool.owner = owner_of(folder);
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.ends_with(".corrupt") || name.ends_with(".torn")) spool.aside.push_back(name);
  }
  return spool;
}

HeaderState walk_segment(const SpoolView& spool, const SpoolFileFacts& segment, const SegmentSight& sight) {
  const std::string path = spool.segment_path(segment);
  const SpoolFile file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.is_open()) throw SetupError(path + ": " + std::generic_category().message(errno), kUsage);
  const auto read = [&](std::uint64_t offset, char* into, std::size_t size) -> std::int64_t {
    return ::pread(file.fd(), into, size, static_cast<off_t>(offset));
  };
  char bytes[kSegmentHeaderBytes];
  const std::int64_t got = read(0, bytes, sizeof bytes);
  SegmentHeader header;
  const bool good = got > 0 && read_segment_header({bytes, static_cast<std::size_t>(got)}, header);
  if (good && header.version != kSpoolVersion) return HeaderState::other_version;
  SegmentReader reader(read, kSegmentHeaderBytes, segment.bytes, segment.first);
  SpoolRecord record;
  for (;;) {
    switch (reader.next(record)) {
      case SegmentReader::Found::record:
        sight.record(record);
        continue;
      case SegmentReader::Found::damage:
        sight.damage(reader.damage_from(), reader.damage_to());
        continue;
      case SegmentReader::Found::failed:
        throw SetupError(path + ": cannot be read: " + std::generic_category().message(errno), kUsage);
      case SegmentReader::Found::end:
        return good || segment.bytes == 0 ? HeaderState::good : HeaderState::damaged;
    }
  }
}

}  // namespace sluice
