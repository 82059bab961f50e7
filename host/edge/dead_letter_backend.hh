// The class dead_letter_store: a backend inside the host that keeps dead letters in a local file. It is a class like
// any other, so its lane, its health page, its metrics and its place in the graph are those of every backend.
#pragma once

#include "edge/dead_letter_store.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sluice {

class DeadLetterBackend {
 public:
  static const char* const kSchema;

  DeadLetterBackend(HostView host, ConfigView config);

  void start(std::chrono::milliseconds timeout);
  /// Takes note of them. A lane hands dead letters over one by one, and each commit waits for the disk: they are
  /// written together, when no more is coming or many have come.
  sluice_status publish(BatchView batch, std::uint32_t& taken);
  /// One transaction for all that was taken. What does not fit is given back, and the lane is told that the store is
  /// away.
  void flush();
  /// Waits, and keeps metrics and max_age up to date: other processes change the file, too.
  sluice_status poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room);

 private:
  void refresh();
  [[nodiscard]] static std::int64_t unix_ns();

  HostView host_;
  std::string path_;
  std::uint64_t max_bytes_;
  std::chrono::milliseconds max_age_;
  std::optional<DeadLetterStore> store_;
  BlockPool blocks_;
  EventWriter writer_;
  std::vector<EventView> taken_;  // not written yet; their memory stays until they are completed
  std::uint64_t first_ticket_ = 0;
  std::vector<NewLetter> letters_;
  std::uint64_t refreshed_ns_ = 0;
  sluice_cell *letters_cell_, *bytes_cell_, *age_cell_, *expired_cell_;
};

}  // namespace sluice
