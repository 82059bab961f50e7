#include "run/inline_consumer.hh"

#include <algorithm>
#include <cstring>

namespace sluice {

namespace {

std::string_view text_of(const sluice_event& event, sluice_slice slice) { return {event.text + slice.at, slice.len}; }
sluice_str str_of(std::string_view text) { return {text.data(), text.size()}; }

/// The writer of one call: record slots of the consumer, bytes in the block.
struct DerivedWriter {
  sluice_writer writer{};
  Block* block = nullptr;
  std::size_t slots = 0;
  std::uint32_t added_max = 0;

  /// Requires: a slot for every event of the batch and derived_max of it more.
  DerivedWriter(std::vector<sluice_record>& records, std::size_t batch, Block& into)
      : block(&into), slots(records.size()), added_max(derived_max(batch)) {
    std::memset(records.data(), 0, added_max * sizeof(sluice_record));
    writer.size = sizeof(sluice_writer);
    writer.stride = sizeof(sluice_record);
    writer.cap = added_max;
    writer.records = records.data();
    writer.grow = &grow;
  }
  /// What is added is bounded; what takes the place of another event is not more than there was, so it makes room
  /// again. Bytes are handed out in chunks of the block as they are asked for.
  void make_room() noexcept {
    auto* all = static_cast<sluice_record*>(writer.records);
    std::size_t room = added_max;
    for (std::uint32_t i = 0; i < writer.count; ++i) room += (all[i].flags & SLUICE_REPLACES) != 0 ? 1 : 0;
    room = std::min(room, slots);
    if (room <= writer.cap) return;
    std::memset(all + writer.cap, 0, (room - writer.cap) * sizeof(sluice_record));
    writer.cap = static_cast<std::uint32_t>(room);
  }
  static std::int32_t grow(sluice_writer* writer, std::uint32_t records, std::uint64_t bytes) {
    auto* self = reinterpret_cast<DerivedWriter*>(writer);
    if (writer->count + records > writer->cap) self->make_room();
    if (writer->count + records > writer->cap) return 0;
    if (bytes > limits::kDerivedBytes) return 0;
    if (bytes > 0) {
      writer->bytes = reinterpret_cast<std::uint8_t*>(self->block->allocate(bytes));
      writer->bytes_cap = bytes;
      writer->bytes_len = 0;
    }
    return 1;
  }
};
static_assert(offsetof(DerivedWriter, writer) == 0);

}  // namespace

std::string_view Judgement::reason_of(std::uint32_t index) const noexcept {
  for (auto it = reasons.rbegin(); it != reasons.rend(); ++it) {
    if (it->first == index) return it->second;
  }
  return {};
}

InlineConsumer::InlineConsumer(std::string name, ConsumerNode& node, LaneWorld world, NodeStats& stats, bool shared,
                               EventLimits limits)
    : name_(std::move(name)),
      node_(node),
      world_(world),
      stats_(stats),
      shared_(shared),
      decoder_(cloudevents_format(), limits),
      records_(node.emits() ? limits::kDerivedPerCall : 0) {
  node_.attach(this);
}

void InlineConsumer::explain(std::uint32_t index, std::string_view reason) noexcept {
  if (judging_ == nullptr || index >= judging_->verdicts.size()) {
    stats_.breaches.add_shared();
    return;
  }
  judging_->reasons.emplace_back(index, std::string(reason.substr(0, limits::kReasonBytes)));
}

void InlineConsumer::process(std::span<const sluice_event> batch, Block& block, Judgement& out) {
  out.verdicts.assign(batch.size(), 0);
  out.reasons.clear();
  out.derived.clear();
  out.halted = false;
  out.halt_text.clear();
  out.all_pass = true;
  if (broken_) {  // a consumer that cannot judge must not wave events through
    out.verdicts.assign(batch.size(), SLUICE_TO_REFUSE);
    out.all_pass = false;
    return;
  }

  std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
  if (shared_) turn.lock();
  const sluice_batch view{
      sizeof(sluice_batch), static_cast<std::uint32_t>(batch.size()), sizeof(sluice_event), 0, batch.data(), 0};
  std::string error;
  judging_ = &out;
  sluice_status status = SLUICE_OK;
  if (node_.emits()) {
    const std::size_t slots = derived_max(batch.size()) + batch.size();
    if (records_.size() < slots) records_.resize(slots);
    DerivedWriter derived(records_, batch.size(), block);
    status = node_.process(view, out.verdicts.data(), &derived.writer, error);
    if (status == SLUICE_OK || status == SLUICE_HALT) decode_derived(derived.writer, batch, block, out);
  } else {
    status = node_.process(view, out.verdicts.data(), nullptr, error);
  }
  judging_ = nullptr;
  out.all_pass = std::ranges::all_of(out.verdicts, [](std::uint8_t verdict) { return verdict == 0; });
  if (status == SLUICE_HALT) {
    out.halted = true;
    out.halt_text = error.empty() ? "halted by " + name_ : error;
  } else if (status != SLUICE_OK) {
    broken_ = true;
    stats_.state.store(NodeState::broken, std::memory_order_relaxed);
    stats_.set_error(error, world_.clock.unix_ns());
    const Field fields[] = {{"node", name_, false}, {"reason", error, false}};
    world_.log.write(Level::error, "Consumer failed and is stopped; events that need it are refused", fields);
    out.verdicts.assign(batch.size(), SLUICE_TO_REFUSE);
    out.all_pass = false;
  }
}

std::uint64_t InlineConsumer::tick(std::uint64_t now_ns, Block* block, Judgement& out) {
  // Whether it is due or not: what the judgement still holds is of an earlier batch, whose block may be gone.
  out.verdicts.clear();
  out.reasons.clear();
  out.derived.clear();
  out.halted = false;
  if (now_ns < next_tick_ns_) return next_tick_ns_;
  std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
  if (shared_) turn.lock();
  std::uint32_t again_ms = 0;
  if (node_.emits() && block != nullptr) {
    DerivedWriter derived(records_, 0, *block);
    again_ms = node_.tick(now_ns, &derived.writer);
    decode_derived(derived.writer, {}, *block, out);
  } else {
    again_ms = node_.tick(now_ns, nullptr);
  }
  next_tick_ns_ = again_ms == 0 ? now_ns : now_ns + std::uint64_t{again_ms} * 1'000'000;
  return again_ms == 0 ? kNever : next_tick_ns_;
}

void InlineConsumer::break_contract(const std::string& what) {
  stats_.breaches.add_shared();
  if (std::exchange(broken_, true)) return;
  stats_.state.store(NodeState::broken, std::memory_order_relaxed);
  stats_.set_error(what, world_.clock.unix_ns());
  const Field fields[] = {{"node", name_, false}, {"reason", what, false}};
  world_.log.write(Level::error, "Consumer broke its contract and is stopped; events that need it are refused", fields);
}

void InlineConsumer::settled(std::span<const std::uint64_t> seq, std::span<const std::uint8_t> outcome) {
  std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
  if (shared_) turn.lock();
  node_.settled(seq, outcome);
}

/// A derived event belongs to its cause: without a source of its own it has its cause's, and its id is made from the
/// cause's, so that it is the same whenever the same cause is judged again. The decoder fills in the rest.
sluice_record InlineConsumer::with_cause(const sluice_record& record, const sluice_event& cause, Block& block) {
  sluice_record filled = record;
  std::string_view type;
  bool has_source = false;
  for (std::uint32_t i = 0; i < record.header_count; ++i) {
    const std::string_view name(record.headers[i].name.ptr, record.headers[i].name.len);
    if (name == "type") type = {record.headers[i].value.ptr, record.headers[i].value.len};
    has_source = has_source || name == "source";
  }
  if (!has_source) {
    auto* headers = block.allocate_array<sluice_attribute>(record.header_count + 1);
    std::copy_n(record.headers, record.header_count, headers);
    headers[record.header_count] = {str_of("source"), str_of(text_of(cause, cause.source)), SLUICE_URI_REF, 0};
    filled.headers = headers;
    ++filled.header_count;
  }
  std::string place(text_of(cause, cause.source));
  for (const std::string_view part :
       {text_of(cause, cause.id), type, std::string_view(record.position.ptr, record.position.len)}) {
    place += '\n';
    place += part;
  }
  filled.position = str_of(block.keep(place));
  return filled;
}

void InlineConsumer::decode_derived(sluice_writer& writer, std::span<const sluice_event> batch, Block& block,
                                    Judgement& out) {
  const std::uint32_t count = std::min(writer.count, writer.cap);
  if (writer.count > writer.cap) stats_.breaches.add_shared();
  for (std::uint32_t i = 0; i < count; ++i) {
    sluice_record record = *SLUICE_RECORD(&writer, i);
    // A consumer's bytes live until its next call; the events made of them live as long as the block.
    const std::string_view kept = block.keep({reinterpret_cast<const char*>(record.ptr), record.len});
    record.ptr = reinterpret_cast<const std::uint8_t*>(kept.data());
    if ((record.flags & SLUICE_ATTRIBUTES) != 0 && record.parent < batch.size()) {
      record = with_cause(record, batch[record.parent], block);
    }
    const std::size_t before = block.events.size();
    const RecordContext context{name_, world_.clock.unix_ns(), world_.seed ^ ++made_ * 0x9e3779b97f4a7c15ull, true};
    if (const auto reject = decoder_.decode(record, context, block)) {
      stats_.breaches.add_shared();
      stats_.set_error("derived event is not valid: " + reject->reason, world_.clock.unix_ns());
      const Field fields[] = {{"node", name_, false}, {"reason", reject->reason, false}};
      world_.log.write(Level::error, "Consumer emitted something that is not an event; it is left out", fields);
      continue;
    }
    stats_.derived.add(block.events.size() - before);
    for (std::size_t event = before; event < block.events.size(); ++event) {
      out.derived.push_back({static_cast<std::uint32_t>(event), record.parent, record.port,
                             (record.flags & SLUICE_REPLACES) != 0 && record.parent < batch.size()});
    }
  }
  if (writer.release != nullptr) block.on_release(writer.release, writer.release_arg);
}

}  // namespace sluice
