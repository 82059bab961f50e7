// A file as it stands.
#include "reader.hh"

#include <cerrno>
#include <system_error>

namespace file_plugin {
namespace {

class PlainReader final : public Reader {
 public:
  explicit PlainReader(int fd) : fd_(fd) {}

  std::size_t read_at(char* to, std::size_t cap, std::uint64_t offset) override {
    ssize_t got = 0;
    do got = ::pread(fd_, to, cap, static_cast<off_t>(offset));
    while (got < 0 && errno == EINTR);
    if (got < 0) throw std::system_error(errno, std::generic_category(), "cannot be read");
    at_end_ = static_cast<std::size_t>(got) < cap;
    return static_cast<std::size_t>(got);
  }
  [[nodiscard]] bool at_end() const noexcept override { return at_end_; }
  [[nodiscard]] bool size_counts() const noexcept override { return true; }

 private:
  const int fd_;
  bool at_end_ = false;
};

}  // namespace

std::unique_ptr<Reader> make_plain_reader(int fd) { return std::make_unique<PlainReader>(fd); }

}  // namespace file_plugin
