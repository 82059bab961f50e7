// Which jobs another worker of the group handed over. A worker sees only its share of the events, so of a job whose
// documents came here the completing event may have gone to another. The store that the workers share knows; asking it
// may take a while, so a thread of its own does it.
#pragma once

#include <sluice/ext/once_keys.h>
#include <sluice/host.h>

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace handover {

class Elsewhere {
 public:
  struct Answer {
    std::vector<std::string> jobs;
    std::vector<std::uint8_t> handed_over;  // beside them; none when the store could not be asked
    std::string why;                        // then
    [[nodiscard]] bool known() const noexcept { return handed_over.size() == jobs.size(); }
  };

  Elsewhere(const sluice_host& host, const sluice_once_keys& keys);
  ~Elsewhere();
  Elsewhere(const Elsewhere&) = delete;
  Elsewhere& operator=(const Elsewhere&) = delete;

  /// One question at a time. False: the last one is not answered yet, or its answer not taken.
  [[nodiscard]] bool ask(std::vector<std::string>& jobs);
  /// The answer, once.
  [[nodiscard]] std::optional<Answer> take();

 private:
  void run();
  void find_out(Answer& answer) const;

  const sluice_host& host_;
  const sluice_once_keys& keys_;
  std::mutex mutex_;
  std::condition_variable asked_;
  enum class State : std::uint8_t { quiet, asked, answered } state_ = State::quiet;
  bool ends_ = false;
  Answer answer_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace handover
