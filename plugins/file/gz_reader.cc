// A gzip file, inflated as it is read. The only file that knows zlib.
//
// Offsets only rise in normal running, so a window of inflated bytes is kept from the last offset asked for; going back
// (a retry) starts over from the beginning of the file.
#include "reader.hh"

#include <fcntl.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace file_plugin {
namespace {

constexpr unsigned kInflateBytes = 256 * 1024;
constexpr int kSkipsPerCall = 16;  // so that finding an old place again does not hold up the lane

class GzReader final : public Reader {
 public:
  explicit GzReader(int fd) : fd_(::fcntl(fd, F_DUPFD_CLOEXEC, 3)) {
    if (!fd_) throw std::system_error(errno, std::generic_category(), "cannot be opened again");
    restart();
  }
  ~GzReader() override { gzclose(stream_); }
  GzReader(const GzReader&) = delete;
  GzReader& operator=(const GzReader&) = delete;

  std::size_t read_at(char* to, std::size_t cap, std::uint64_t offset) override {
    if (offset < window_at_) restart();
    at_end_ = false;
    for (int i = 0; offset > window_end(); ++i) {
      if (i == kSkipsPerCall) return 0;
      window_at_ = window_end();
      window_.clear();
      begin_ = 0;
      if (!inflate_more()) return at_end_ = true, 0;
    }
    begin_ += static_cast<std::size_t>(offset - window_at_);
    window_at_ = offset;
    while (window_.size() - begin_ < cap) {
      if (!inflate_more()) {
        at_end_ = true;
        break;
      }
    }
    const std::size_t got = std::min(cap, window_.size() - begin_);
    std::memcpy(to, window_.data() + begin_, got);
    return got;
  }
  [[nodiscard]] bool at_end() const noexcept override { return at_end_; }
  [[nodiscard]] bool size_counts() const noexcept override { return false; }
  [[nodiscard]] std::string_view error() const noexcept override { return error_; }

 private:
  [[nodiscard]] std::uint64_t window_end() const { return window_at_ + (window_.size() - begin_); }

  void restart() {
    if (stream_ != nullptr) gzclose(stream_);
    stream_ = nullptr;
    if (::lseek(fd_.get(), 0, SEEK_SET) < 0)
      throw std::system_error(errno, std::generic_category(), "cannot be rewound");
    const int own = ::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3);
    stream_ = own < 0 ? nullptr : gzdopen(own, "rb");
    if (stream_ == nullptr) throw std::runtime_error("zlib cannot open it");
    gzbuffer(stream_, 64 * 1024);
    window_.clear();
    begin_ = 0;
    window_at_ = 0;
    error_.clear();
  }

  /// False when nothing more comes.
  bool inflate_more() {
    if (begin_ > 0) {
      window_.erase(window_.begin(), window_.begin() + static_cast<std::ptrdiff_t>(begin_));
      begin_ = 0;
    }
    const std::size_t from = window_.size();
    window_.resize(from + kInflateBytes);
    const int got = gzread(stream_, window_.data() + from, kInflateBytes);
    window_.resize(from + static_cast<std::size_t>(std::max(got, 0)));
    int code = Z_OK;
    const char* text = gzerror(stream_, &code);
    if (got < 0 || (got == 0 && code != Z_OK && code != Z_STREAM_END)) {
      error_ = code == Z_BUF_ERROR ? "the gzip file is incomplete: its end is missing"
                                   : "the gzip file is damaged: " + std::string(text);
    }
    return got > 0;
  }

  UniqueFd fd_;
  gzFile stream_ = nullptr;
  std::vector<char> window_;
  std::size_t begin_ = 0;        // what of window_ was asked for and passed
  std::uint64_t window_at_ = 0;  // the offset of window_[begin_]
  bool at_end_ = false;
  std::string error_;
};

}  // namespace

std::unique_ptr<Reader> make_gz_reader(int fd) { return std::make_unique<GzReader>(fd); }

bool is_gz(int fd) {
  unsigned char magic[3];
  return ::pread(fd, magic, sizeof(magic), 0) == 3 && magic[0] == 0x1f && magic[1] == 0x8b && magic[2] == 8;
}

}  // namespace file_plugin
