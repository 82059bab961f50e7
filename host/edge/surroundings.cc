#include "edge/surroundings.hh"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sluice {

namespace {
constexpr std::size_t kLargestSecret = 64 * 1024;  // bytes: a certificate chain fits
}

std::optional<std::string> ProcessSurroundings::variable(const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::optional<std::string> ProcessSurroundings::file(const std::string& path, std::string& why) const {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    why = error ? error.message() : "is no regular file";
    return {};
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    why = std::string("cannot be read: ") + std::strerror(errno);
    return {};
  }
  std::string text(kLargestSecret + 1, '\0');
  stream.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(stream.gcount()));
  if (text.size() > kLargestSecret) {
    why = "is larger than 64KiB";
    return {};
  }
  if (!text.empty() && text.back() == '\n') text.pop_back();
  if (!text.empty() && text.back() == '\r') text.pop_back();
  return text;
}

std::string ProcessSurroundings::host_name() const {
  char name[256] = "";
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

}  // namespace sluice
