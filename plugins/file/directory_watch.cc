#include "directory_watch.hh"

#include <sys/inotify.h>

#include <algorithm>
#include <cstdint>

namespace file_plugin {

DirectoryWatch::DirectoryWatch() : fd_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

void DirectoryWatch::add(const std::string& folder) {
  if (!fd_) return;
  constexpr std::uint32_t kEvents = IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;
  const int watch = ::inotify_add_watch(fd_.get(), folder.c_str(), kEvents);
  if (watch >= 0) folders_[watch] = folder;
}

DirectoryWatch::Changes DirectoryWatch::take() {
  Changes changes;
  alignas(inotify_event) char room[16 * 1024];
  if (!fd_) return changes;
  for (int round = 0; round < 16; ++round) {  // under a flood of notices the files themselves come first
    const ssize_t got = ::read(fd_.get(), room, sizeof(room));
    if (got <= 0) break;
    for (const char* at = room; at < room + got;) {
      const auto* event = reinterpret_cast<const inotify_event*>(at);
      at += sizeof(inotify_event) + event->len;
      const auto folder = folders_.find(event->wd);
      if ((event->mask & IN_MODIFY) != 0 && folder != folders_.end() && event->len > 0) {
        std::string path = folder->second + "/" + event->name;
        if (std::find(changes.written.begin(), changes.written.end(), path) == changes.written.end()) {
          changes.written.push_back(std::move(path));
        }
      } else {
        changes.names = true;
      }
      if ((event->mask & IN_IGNORED) != 0) folders_.erase(event->wd);
    }
  }
  return changes;
}

}  // namespace file_plugin
