#include "source.hh"

#include "answer.hh"
#include "headers.hh"

#include <sluice/cpp/writer_view.hh>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace kafka {
namespace {

using namespace std::chrono_literals;

// A tag is a slot and a number within it.
constexpr unsigned kNumberBits = 44;
constexpr std::uint64_t kNumberMask = (std::uint64_t{1} << kNumberBits) - 1;
constexpr std::uint32_t kSlotMask = (1u << (64 - kNumberBits)) - 1;
constexpr milliseconds kCloseMax = 3s;

std::uint64_t tag_of(std::uint32_t slot, std::uint64_t number) noexcept {
  return std::uint64_t{slot} << kNumberBits | (number & kNumberMask);
}

void append_number(std::int64_t number, std::string& out) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// Lends memory of its own to the host, for a message that is larger than what a pull offers.
void lend(sluice_writer& out, const Fetched& message) {
  auto* copy = new std::string(message.value);
  copy->append(SLUICE_PADDING, '\0');
  out.release = [](void* text) { delete static_cast<std::string*>(text); };
  out.release_arg = copy;
  sluice_record* record = SLUICE_RECORD(&out, out.count++);
  record->ptr = reinterpret_cast<const std::uint8_t*>(copy->data());
  record->len = message.value.size();
  record->flags = SLUICE_PADDED;
  record->parent = SLUICE_NO_PARENT;
}

}  // namespace

Source::Source(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      options_(read_source_options(config)),
      prefetch_(options_.prefetch_messages, options_.prefetch_bytes),
      unsettled_(host.cell(SLUICE_GAUGE, "source_pending_events", "Messages handed over and not settled yet.")) {}

/// What is settled by now is committed, and the group is told that this member is gone.
Source::~Source() {
  if (consumer_ == nullptr) return;
  if (!away_) commit_settled(true);
  assigned_.clear();
  stopping_ = true;
  consumer_->close(away_ ? 100ms : kCloseMax);
}

void Source::start(milliseconds timeout) { connect(std::min(timeout, options_.patience)); }

void Source::connect(milliseconds timeout) {
  if (consumer_ == nullptr) consumer_.reset(new Consumer(options_.properties, options_.topics, *this));
  Failure why;
  const Reach reach = consumer_->reach({}, timeout, why);
  consumer_->serve();
  away_ = reach == Reach::away;
  if (away_) throw sluice::Away(last_trouble_.empty() ? explained(why, options_.servers) : last_trouble_);
  last_trouble_.clear();
  if (host_.logs(SLUICE_LOG_INFO)) {
    host_.log(SLUICE_LOG_INFO, "connected to " + options_.servers + " as a member of group " + options_.group);
  }
}

Source::Assigned* Source::find(const Fetched& message, Slot& slot) {
  for (auto& [each, assigned] : assigned_) {
    if (assigned.partition.number != message.partition || assigned.partition.topic != message.topic) continue;
    slot = each;
    return &assigned;
  }
  return nullptr;
}

void Source::take_more(std::size_t most) {
  fetched_ = consumer_->take(most);
  for (const Fetched& message : fetched_) prefetch_.took(message.value.size());
  if (fetched_.empty() && prefetch_.ran_dry()) fetch_on();
  for (auto& [slot, assigned] : assigned_) assigned.skips_fetched = false;
}

/// The library stands still for up to a second once enough is prefetched, also when that has long been taken.
void Source::fetch_on() {
  std::vector<Partition> from;
  for (const auto& [slot, assigned] : assigned_) {
    const bool reads = !assigned.leaving && assigned.again_at_ms == 0 && assigned.read_to >= 0;
    if (reads) from.push_back({assigned.partition.topic, assigned.partition.number, assigned.read_to});
  }
  if (!from.empty()) consumer_->fetch_on(from);
}

sluice_status Source::pull(sluice_writer& out) {
  if (away_) throw sluice::Away(last_trouble_.empty() ? options_.servers + ": no broker answers" : last_trouble_);
  if (consumer_ == nullptr || stopping_) return SLUICE_AGAIN;
  if (options_.stop_at_end && !ends_are_known()) return SLUICE_AGAIN;
  if (fetched_.empty()) take_more(sluice::WriterView(out).room());
  Assigned* from = nullptr;
  Slot slot = 0;
  const Fetched* last = nullptr;
  while (!fetched_.empty()) {
    const Fetched& message = fetched_.front();
    const bool same = last != nullptr && last->topic_mark == message.topic_mark && last->partition == message.partition;
    if (!same) {
      from = find(message, slot);
      position_front_.assign(message.topic).append("/");
      append_number(message.partition, position_front_);
      position_front_ += '/';
    }
    last = &message;
    if (from != nullptr && !from->skips_fetched) from->read_to = message.offset + 1;
    // A partition that is gone, is about to go, or reads again from an earlier message: it comes again, here or there.
    const bool current = from != nullptr && !from->leaving && !from->skips_fetched && from->again_at_ms == 0;
    const bool wanted = current && (!options_.stop_at_end || message.offset < from->stop);
    if (current && wanted) from->highest = std::max(from->highest, message.offset);
    if (wanted && from->place.wants(message.offset)) {
      if (!hand_over(out, message)) break;
      from->reached = std::max(from->reached, message.offset + 1);
      SLUICE_RECORD(&out, out.count - 1)->tag = tag_of(slot, from->place.take(message.offset));
      if (out.release != nullptr) {
        fetched_ = fetched_.subspan(1);
        break;
      }
    }
    if (current) from->reached = std::max(from->reached, message.offset + 1);
    fetched_ = fetched_.subspan(1);
  }
  if (out.count > 0) return SLUICE_OK;
  const bool owes_deleting = options_.delete_read && !deleted_;
  return options_.stop_at_end && !owes_deleting && is_read_to_the_end() ? SLUICE_END : SLUICE_AGAIN;
}

bool Source::ends_are_known() const {
  return std::all_of(assigned_.begin(), assigned_.end(), [](const auto& each) { return each.second.stop >= 0; });
}

/// What the partition held when this run began has been read and settled, however much was added since.
bool Source::is_read_to_the_end(const Assigned& assigned) {
  if (assigned.place.unsettled() > 0) return false;
  const bool nothing_follows = assigned.end >= assigned.stop && assigned.reached > assigned.highest;
  return assigned.reached >= assigned.stop || nothing_follows;
}

bool Source::is_read_to_the_end() const {
  return !assigned_.empty() && fetched_.empty() && !giving_back_ &&
         std::all_of(assigned_.begin(), assigned_.end(),
                     [](const auto& each) { return is_read_to_the_end(each.second); });
}

/// False when there is no room; then nothing was written.
bool Source::hand_over(sluice_writer& out, const Fetched& message) {
  const std::uint32_t index = out.count;
  if (positions_.size() <= index) positions_.resize(index + 1);
  if (attributes_.size() <= index) attributes_.resize(index + 1);
  if (!sluice::WriterView(out).add(message.value, 0)) {
    if (index > 0 || out.cap == 0) return false;
    lend(out, message);
  }
  sluice_record& record = *SLUICE_RECORD(&out, index);
  positions_[index].assign(position_front_);  // "topic/3/1742", into memory that is used again
  append_number(message.offset, positions_[index]);
  record.position = sluice::str(positions_[index]);
  consumer_->headers_of(message, headers_);
  describe(headers_, message.has_value, options_.leniency, record, attributes_[index]);
  return true;
}

void Source::settle(sluice::SettlementsView settlements) {
  Assigned* of = nullptr;
  std::uint64_t last = ~std::uint64_t{0};
  for (std::uint32_t i = 0; i < settlements.size(); ++i) {
    const std::uint64_t slot = settlements[i].tag >> kNumberBits;
    if (slot != last) {
      const auto found = assigned_.find(static_cast<Slot>(slot));
      of = found == assigned_.end() ? nullptr : &found->second;
      last = slot;
    }
    if (of == nullptr) continue;  // the partition is somebody else's by now
    const std::uint64_t first = of->place.first();
    const std::uint64_t number = first + ((settlements[i].tag - first) & kNumberMask);
    const bool well = settlements[i].outcome != SLUICE_NOT_DELIVERED;
    if (options_.delete_read && settlements[i].outcome == SLUICE_WAS_DROPPED) {
      const std::int64_t offset = of->place.offset_of(number);
      of->kept = of->kept < 0 ? offset : std::min(of->kept, offset);
    }
    of->place.settle(number, well);
    if (!well && !stopping_) fail(*of);
    if (of->place.unsettled() == 0) of->again_after = 0ms;
  }
}

// Membership, inside serve().

void Source::assigned(const std::vector<Partition>& partitions) {
  for (const Partition& partition : partitions) {
    while (assigned_.count(next_slot_ & kSlotMask) != 0) ++next_slot_;
    Assigned& made = assigned_[next_slot_++ & kSlotMask];
    made.partition = partition;
    if (const auto stop = stops_.find({partition.topic, partition.number}); stop != stops_.end())
      made.stop = stop->second;
    made.lag = host_.cell(SLUICE_GAUGE, "source_lag_events", "Messages of the partition that are not settled.",
                          {{"topic", partition.topic}, {"partition", std::to_string(partition.number)}});
  }
  if (host_.logs(SLUICE_LOG_INFO)) {
    host_.log(SLUICE_LOG_INFO, "group " + options_.group + ": " + std::to_string(partitions.size()) +
                                   " partitions assigned, " + std::to_string(assigned_.size()) + " in all");
  }
  consumer_->assign();
  away_ = false;
}

void Source::revoked(const std::vector<Partition>& partitions, bool lost) {
  for (auto& [slot, one] : assigned_) {
    Assigned& assigned = one;  // a structured binding cannot be captured by every compiler
    assigned.leaving =
        assigned.leaving || std::any_of(partitions.begin(), partitions.end(), [&](const Partition& each) {
          return each.number == assigned.partition.number && each.topic == assigned.partition.topic;
        });
  }
  if (host_.logs(SLUICE_LOG_INFO)) {
    host_.log(SLUICE_LOG_INFO, "group " + options_.group + ": " + std::to_string(partitions.size()) +
                                   (lost ? " partitions were lost" : " partitions are given back"));
  }
  doubted_ = doubted_ || lost;
  giving_back_ = true;
  give_back_by_ms_ = now_ms() + (lost ? 0 : static_cast<std::uint64_t>(options_.rebalance_wait.count()));
  if (!lost) return;
  std::erase_if(assigned_, [](const auto& each) { return each.second.leaving; });  // not ours to commit any more
}

void Source::committed(const Failure* failure) {
  if (commits_under_way_ > 0) --commits_under_way_;
  if (failure == nullptr) {
    commits_fail_ = false;
    return;
  }
  for (auto& [slot, assigned] : assigned_) assigned.committed = -1;  // asked for again with the next commit
  doubted_ = true;
  if (!std::exchange(commits_fail_, true)) {
    host_.log(SLUICE_LOG_WARN, "offsets could not be committed, tried again: " + failure->text);
  }
}

void Source::ended(const Partition& end) {
  for (auto& [slot, assigned] : assigned_) {
    if (assigned.partition.number == end.number && assigned.partition.topic == end.topic) assigned.end = end.offset;
  }
}

void Source::trouble(const Failure& failure) {
  if (failure.name == "_ALL_BROKERS_DOWN") {
    away_ = true;
    if (host_.logs(SLUICE_LOG_DEBUG)) host_.log(SLUICE_LOG_DEBUG, failure.name + ": " + failure.text);
    return;
  }
  last_trouble_ = explained(failure, options_.servers);
  const bool of_a_person = failure.name == "UNKNOWN_TOPIC_OR_PART" || failure.name == "_AUTO_OFFSET_RESET" ||
                           failure.name == "_MAX_POLL_EXCEEDED" || failure.name.ends_with("AUTHORIZATION_FAILED") ||
                           failure.name.starts_with("INCONSISTENT_");
  doubted_ = doubted_ || !of_a_person;
  std::string line = failure.text;
  if (failure.name == "UNKNOWN_TOPIC_OR_PART") line += "; it is read from as soon as it is created";
  if (of_a_person && line != last_warning_) {
    host_.log(SLUICE_LOG_WARN, line);
    last_warning_ = line;
  } else if (host_.logs(SLUICE_LOG_DEBUG)) {
    host_.log(SLUICE_LOG_DEBUG, failure.name + ": " + failure.text);
  }
}

void Source::broken(const Failure& failure) { broken_why_ = explained(failure, options_.servers); }

void Source::chatter(int, std::string_view text) {
  if (host_.logs(SLUICE_LOG_DEBUG)) host_.log(SLUICE_LOG_DEBUG, text);
}

}  // namespace kafka
