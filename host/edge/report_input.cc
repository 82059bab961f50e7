// The only file of the host that knows zlib, which passes on as it stands what is not compressed.
#include "edge/report_input.hh"

#include "core/exit_code.hh"
#include "core/setup_error.hh"

#include <fcntl.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace sluice {

struct ReportInput::Stream {
  gzFile file = nullptr;
  std::string error;
  char buffer[64 * 1024];
  std::size_t at = 0, end = 0;

  ~Stream() {
    if (file != nullptr) gzclose(file);
  }
  bool fill() {
    const int got = gzread(file, buffer, sizeof buffer);
    at = 0;
    end = static_cast<std::size_t>(std::max(got, 0));
    int code = Z_OK;
    const char* text = gzerror(file, &code);
    if (got <= 0 && code != Z_OK && code != Z_STREAM_END) {
      error = code == Z_BUF_ERROR ? "the gzip file is incomplete: its end is missing"
              : code == Z_ERRNO   ? std::strerror(errno)
                                  : "the gzip file is damaged: " + std::string(text);
    }
    return got > 0;
  }
};

ReportInput::ReportInput(const std::string& path) : stream_(std::make_unique<Stream>()) {
  const int fd =
      path == kStandardInput ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) throw SetupError("cannot read " + path + ": " + std::strerror(errno), kUsage);
  stream_->file = gzdopen(fd, "rb");
  if (stream_->file == nullptr) {
    ::close(fd);
    throw SetupError("cannot read " + path + ": no memory", kUsage);
  }
}
ReportInput::ReportInput(ReportInput&&) noexcept = default;
ReportInput::~ReportInput() = default;

const std::string& ReportInput::error() const noexcept { return stream_->error; }

bool ReportInput::next(std::string& line, std::size_t bytes_max) {
  line.clear();
  bool any = false;
  for (;;) {
    if (stream_->at == stream_->end && !stream_->fill()) return any;
    any = true;
    const char* from = stream_->buffer + stream_->at;
    const std::size_t left = stream_->end - stream_->at;
    const auto* newline = static_cast<const char*>(std::memchr(from, '\n', left));
    const std::size_t length = newline != nullptr ? static_cast<std::size_t>(newline - from) : left;
    if (line.size() <= bytes_max) line.append(from, std::min(length, bytes_max + 1 - line.size()));
    stream_->at += length + (newline != nullptr ? 1 : 0);
    if (newline != nullptr) return true;
  }
}

}  // namespace sluice
