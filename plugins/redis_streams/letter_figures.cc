#include "letter_figures.hh"

#include "encode.hh"
#include "endpoint.hh"
#include "stream_id.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>

namespace redis_streams {

sluice::LetterFacts LetterFigures::ask(std::chrono::milliseconds timeout) {
  try {
    if (connection_ == nullptr) connection_ = connect_to(endpoint_, timeout);
    connection_->set_timeout(timeout);
    // The age by the server's own clock, which made the ids.
    const std::vector<Reply> replies = connection_->request_all(
        command({"XLEN", stream_}) + command({"XRANGE", stream_, "-", "+", "COUNT", "1"}) + command({"TIME"}), 3);
    sluice::LetterFacts facts{static_cast<std::uint64_t>(std::max<std::int64_t>(replies[0].number, 0)), 0};
    if (!replies[1].list.empty() && !replies[1].list[0].list.empty() && !replies[2].list.empty()) {
      const auto added_s = static_cast<double>(parse_id(replies[1].list[0].list[0].text).ms) / 1000;
      facts.oldest_age_s = std::stod(replies[2].list[0].text) - added_s;
    }
    return facts;
  } catch (const std::exception&) {
    connection_.reset();  // a new one is tried next time
    throw;
  }
}

}  // namespace redis_streams
