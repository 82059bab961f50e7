#include "edge/undelivered_file.hh"

#include <cerrno>
#include <cstring>

namespace sluice {

UndeliveredFile::~UndeliveredFile() {
  if (file_ != nullptr) std::fclose(file_);
}

void UndeliveredFile::write(std::string_view event_json, std::string_view reason) noexcept {
  const std::lock_guard lock(mutex_);
  if (file_ == nullptr && !failed_) {
    file_ = std::fopen(path_.c_str(), "ae");
    failed_ = file_ == nullptr;
    const Field fields[] = {{"path", path_, false},
                            {"reason", failed_ ? std::strerror(errno) : std::string(reason), false}};
    log_.write(failed_ ? Level::error : Level::warn,
               failed_ ? "Undelivered events cannot be kept" : "Undelivered events are kept in a file", fields);
  }
  if (file_ == nullptr) return;
  std::fwrite(event_json.data(), 1, event_json.size(), file_);
  std::fputc('\n', file_);
  std::fflush(file_);
  ++written_;
}

}  // namespace sluice
