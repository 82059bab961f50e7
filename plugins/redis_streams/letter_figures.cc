#include "letter_figures.hh"

#include "encode.hh"
#include "endpoint.hh"
#include "stream_id.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>

namespace redis_streams {
namespace {
constexpr std::uint64_t kEveryMs = 5'000;
}  // namespace

LetterFigures::LetterFigures(sluice::HostView host, const Endpoint& endpoint, std::string stream)
    : endpoint_(endpoint),
      stream_(std::move(stream)),
      letters_(host.cell(SLUICE_GAUGE, "dead_letters", "Dead letters in the stream.")),
      age_(host.cell(SLUICE_GAUGE, "dead_letter_oldest_age_seconds",
                     "Time since the oldest letter in the stream was added; 0 when it is empty.")) {}

void LetterFigures::show(std::uint64_t now_ms, std::chrono::milliseconds timeout) {
  if (now_ms < due_ms_) return;
  due_ms_ = now_ms + kEveryMs;
  try {
    if (connection_ == nullptr) connection_ = connect_to(endpoint_, timeout);
    connection_->set_timeout(timeout);
    // The age by the server's own clock, which made the ids.
    const std::vector<Reply> replies = connection_->request_all(
        command({"XLEN", stream_}) + command({"XRANGE", stream_, "-", "+", "COUNT", "1"}) + command({"TIME"}), 3);
    sluice::set(letters_, static_cast<double>(replies[0].number));
    double age = 0;
    if (!replies[1].list.empty() && !replies[1].list[0].list.empty() && !replies[2].list.empty()) {
      const auto added_s = static_cast<double>(parse_id(replies[1].list[0].list[0].text).ms) / 1000;
      age = std::max(0.0, std::stod(replies[2].list[0].text) - added_s);
    }
    sluice::set(age_, age);
  } catch (const std::exception&) {
    connection_.reset();  // the lane says that the server is away; the figures stay as they were
  }
}

}  // namespace redis_streams
