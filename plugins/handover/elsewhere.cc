#include "elsewhere.hh"

#include <sluice/cpp/text.hh>

#include <algorithm>
#include <utility>

namespace handover {
namespace {

constexpr std::size_t kJobsAtOnce = 1000;
constexpr std::int32_t kTimeoutMs = 2000;  // of one call; the end waits for it

}  // namespace

Elsewhere::Elsewhere(const sluice_host& host, const sluice_once_keys& keys)
    : host_(host), keys_(keys), thread_([this] { run(); }) {}

Elsewhere::~Elsewhere() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  asked_.notify_one();
  thread_.join();
}

bool Elsewhere::ask(std::vector<std::string>& jobs) {
  {
    const std::lock_guard lock(mutex_);
    if (state_ != State::quiet) return false;
    answer_ = {};
    answer_.jobs.swap(jobs);
    state_ = State::asked;
  }
  asked_.notify_one();
  return true;
}

std::optional<Elsewhere::Answer> Elsewhere::take() {
  const std::lock_guard lock(mutex_);
  if (state_ != State::answered) return std::nullopt;
  state_ = State::quiet;
  return std::exchange(answer_, {});
}

void Elsewhere::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    asked_.wait(lock, [this] { return ends_ || state_ == State::asked; });
    if (ends_) return;
    Answer answer = std::move(answer_);
    lock.unlock();
    find_out(answer);
    lock.lock();
    answer_ = std::move(answer);
    state_ = State::answered;
  }
}

void Elsewhere::find_out(Answer& answer) const {
  std::vector<std::uint8_t> found(answer.jobs.size());
  std::vector<sluice_str> values;
  for (std::size_t from = 0; from < answer.jobs.size(); from += kJobsAtOnce) {
    const std::size_t count = std::min(kJobsAtOnce, answer.jobs.size() - from);
    values.clear();
    for (std::size_t i = 0; i < count; ++i) values.push_back(sluice::str(answer.jobs[from + i]));
    char text[512];
    sluice_error error{sizeof(sluice_error), sizeof text, 0, 0, text};
    const sluice_status status = keys_.recorded(&host_, values.data(), static_cast<std::uint32_t>(count),
                                                found.data() + from, kTimeoutMs, &error);
    if (status != SLUICE_OK) {
      answer.why.assign(text, std::min<std::size_t>(error.len, sizeof text));
      return;
    }
  }
  answer.handed_over = std::move(found);
}

}  // namespace handover
