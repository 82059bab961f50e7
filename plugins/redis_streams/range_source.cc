#include "range_source.hh"

#include "encode.hh"
#include "endpoint.hh"
#include "entries.hh"

#include <sluice/cpp/writer_view.hh>

#include <poll.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace redis_streams {
namespace {

using std::chrono::milliseconds;

constexpr std::uint32_t kPage = 256;
constexpr std::uint64_t kCheckpointEveryNs = 200'000'000;
constexpr std::uint64_t kConnectPauseNs = 1'000'000'000;
constexpr std::size_t kDeleteMax = 1000;  // ids in one command

void fail_unless_list(const Reply& reply, const std::string& where) {
  if (reply.kind == Reply::Kind::error) throw sluice::Away(where + ": " + reply.text);
}

}  // namespace

RangeSource::RangeSource(sluice::HostView host, sluice::ConfigView config)
    : host_(host), options_(read_range_options(config)), next_{0, 1} {
  if (options_.checkpoint.empty()) return;
  std::ifstream file(options_.checkpoint);
  std::string line;
  if (!std::getline(file, line)) return;  // the first run
  const std::string front = "sluice redis_range " + options_.stream + " ";
  settled_ = written_ = line.starts_with(front) ? parse_id(line.substr(front.size())) : StreamId{};
  if (settled_ == StreamId{}) {
    throw sluice::BadConfig(options_.checkpoint + " is not the state of a replay of the stream '" + options_.stream +
                            "': name another file, or delete it to begin anew");
  }
  next_ = settled_.next();
}

RangeSource::~RangeSource() {
  try {
    delete_entries();
    write_checkpoint();
  } catch (const std::exception& failed) {
    host_.log(SLUICE_LOG_WARN, std::string("at the end: ") + failed.what());
  }
}

void RangeSource::start(milliseconds timeout) {
  connection_ = connect_to(options_.endpoint, std::min(timeout, options_.timeout));
  const Reply last = connection_->request({"XREVRANGE", options_.stream, "+", "-", "COUNT", "1"});
  fail_unless_list(last, options_.endpoint.shown());
  end_ = last.list.empty() || last.list[0].list.empty() ? StreamId{} : parse_id(last.list[0].list[0].text);
  all_read_ = end_ < next_;
}

sluice_status RangeSource::pull(sluice_writer& out) {
  if (waiting_.empty()) return all_read_ ? SLUICE_END : SLUICE_AGAIN;
  sluice::WriterView writer(out);
  while (!waiting_.empty() && out.count < out.cap) {
    if (!writer.add(waiting_.front().event, first_tag_ + in_flight_.size())) break;
    in_flight_.push_back(waiting_.front().id);
    waiting_.pop_front();
  }
  return out.count == 0 ? SLUICE_AGAIN : SLUICE_OK;
}

sluice_status RangeSource::poll(int wake_fd, milliseconds timeout, std::uint32_t room) {
  const bool wanted = room > 0 && waiting_.empty() && !all_read_;
  if (wanted && host_.now_ns() >= next_connect_ns_) {
    try {
      if (connection_ == nullptr) connection_ = connect_to(options_.endpoint, options_.timeout);
      read_page();
      delete_entries();
      told_lost_ = false;
      return SLUICE_OK;
    } catch (const sluice::Away& away) {
      connection_.reset();
      next_connect_ns_ = host_.now_ns() + kConnectPauseNs;
      if (!told_lost_) host_.log(SLUICE_LOG_WARN, std::string("tried again every second: ") + away.what());
      told_lost_ = true;
    }
  }
  if (room > 0 && (!waiting_.empty() || all_read_)) return SLUICE_OK;
  pollfd wake{wake_fd, POLLIN, 0};
  (void)::poll(&wake, 1, static_cast<int>(wanted ? std::min(timeout, milliseconds(200)).count() : timeout.count()));
  return SLUICE_OK;
}

void RangeSource::read_page() {
  const Reply page =
      connection_->request({"XRANGE", options_.stream, next_.text(), end_.text(), "COUNT", std::to_string(kPage)});
  fail_unless_list(page, options_.endpoint.shown());
  for (const Reply& entry : page.list) {
    if (entry.list.size() < 2) continue;
    std::vector<std::string> fields;
    for (const Reply& part : entry.list[1].list) fields.push_back(part.text);
    const StreamId id = parse_id(entry.list[0].text);
    waiting_.push_back({id, event_of(fields, options_.field).first});
    next_ = id.next();
  }
  all_read_ = page.list.size() < kPage || next_ > end_;
}

void RangeSource::settle(sluice::SettlementsView all) {
  for (std::uint32_t i = 0; i < all.size() && !in_flight_.empty(); ++i) {
    const StreamId id = in_flight_.front();
    in_flight_.pop_front();
    ++first_tag_;
    // What was given up is in the dead letters anew; what is no event is nowhere else.
    const bool buried = all[i].outcome == SLUICE_WAS_REJECTED && all[i].code != SLUICE_CODE_UNDECODABLE &&
                        all[i].code != SLUICE_CODE_TOO_LARGE && all[i].code != SLUICE_CODE_HALTED;
    if (options_.delete_delivered && (all[i].outcome == SLUICE_WAS_DELIVERED || buried)) {
      to_delete_.push_back(id.text());
    }
    held_ = held_ || all[i].outcome == SLUICE_NOT_DELIVERED;
    if (!held_) settled_ = id;
  }
  if (to_delete_.size() >= kDeleteMax) {
    try {
      if (connection_ != nullptr) delete_entries();
    } catch (const sluice::Away&) {
      connection_.reset();  // poll() connects again, and the ids are still there
    }
  }
  if (host_.now_ns() >= written_ns_ + kCheckpointEveryNs) write_checkpoint();
}

void RangeSource::delete_entries() {
  if (to_delete_.empty()) return;
  if (connection_ == nullptr) connection_ = connect_to(options_.endpoint, options_.timeout);
  while (!to_delete_.empty()) {
    const std::size_t count = std::min(to_delete_.size(), kDeleteMax);
    std::string command = list_head(2 + count) + words({"XDEL", options_.stream});
    for (std::size_t i = 0; i < count; ++i) append_word(command, to_delete_[i]);
    const std::vector<Reply> replies = connection_->request_all(command, 1);
    if (!replies.empty()) fail_unless_list(replies.front(), options_.endpoint.shown());
    to_delete_.erase(to_delete_.begin(), to_delete_.begin() + static_cast<std::ptrdiff_t>(count));
  }
}

/// Beside the old one and renamed over it: a kill leaves the old or the new.
void RangeSource::write_checkpoint() {
  written_ns_ = host_.now_ns();
  if (options_.checkpoint.empty() || settled_ == written_) return;
  const std::string beside = options_.checkpoint + ".new";
  {
    std::ofstream file(beside, std::ios::trunc);
    file << "sluice redis_range " << options_.stream << ' ' << settled_.text() << '\n';
    file.close();
    if (!file) return host_.log(SLUICE_LOG_ERROR, beside + " cannot be written: a later run repeats more");
  }
  if (std::rename(beside.c_str(), options_.checkpoint.c_str()) == 0) written_ = settled_;
}

}  // namespace redis_streams
