#include "edge/plugin_check/process_watch.hh"

#include <unistd.h>

#include <clocale>
#include <cstring>
#include <filesystem>
#include <fstream>

namespace sluice::check {
namespace {

std::size_t entries_of(const char* folder) {
  std::error_code error;
  std::size_t count = 0;
  for (std::filesystem::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) ++count;
  return count;
}

std::string umask_text() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Umask:", 0) == 0) return line;
  }
  return {};
}

}  // namespace

ProcessState ProcessState::now() {
  ProcessState out;
  for (std::size_t i = 1; i < out.handlers_.size(); ++i) {
    struct sigaction action {};
    if (sigaction(static_cast<int>(i), nullptr, &action) == 0) {
      out.handlers_[i] = reinterpret_cast<void*>(action.sa_handler);
    }
  }
  const char* locale = std::setlocale(LC_ALL, nullptr);
  out.locale_ = locale == nullptr ? "" : locale;
  std::error_code error;
  out.folder_ = std::filesystem::current_path(error).string();
  out.umask_ = umask_text();
  for (char** variable = environ; variable != nullptr && *variable != nullptr; ++variable) {
    out.environment_.emplace_back(*variable);
  }
  return out;
}

std::string ProcessState::changed_until(const ProcessState& later) const {
  std::string out;
  const auto add = [&out](const std::string& what) { out += (out.empty() ? "" : ", ") + what; };
  for (std::size_t i = 1; i < handlers_.size(); ++i) {
    if (handlers_[i] != later.handlers_[i]) add(std::string("the handler of SIG") + sigabbrev_np(static_cast<int>(i)));
  }
  if (locale_ != later.locale_) add("the locale");
  if (folder_ != later.folder_) add("the working folder");
  if (umask_ != later.umask_) add("the umask");
  if (environment_ != later.environment_) add("the environment");
  return out;
}

std::size_t thread_count() { return entries_of("/proc/self/task"); }
std::size_t descriptor_count() { return entries_of("/proc/self/fd"); }

}  // namespace sluice::check
