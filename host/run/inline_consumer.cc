#include "run/inline_consumer.hh"

#include "core/dead_letter.hh"
#include "core/uuid.hh"

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

  DerivedWriter(std::vector<sluice_record>& records, Block& into) : block(&into) {
    std::memset(records.data(), 0, records.size() * sizeof(sluice_record));
    writer.size = sizeof(sluice_writer);
    writer.stride = sizeof(sluice_record);
    writer.cap = static_cast<std::uint32_t>(records.size());
    writer.records = records.data();
    writer.grow = &grow;
  }
  /// Records are bounded; bytes are handed out in chunks of the block as they are asked for.
  static std::int32_t grow(sluice_writer* writer, std::uint32_t records, std::uint64_t bytes) {
    auto* self = reinterpret_cast<DerivedWriter*>(writer);
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
    : name_(std::move(name)), node_(node), world_(world), stats_(stats), shared_(shared),
      decoder_(cloudevents_format(), limits), records_(node.emits() ? limits::kDerivedPerCall : 0) {
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
  const sluice_batch view{sizeof(sluice_batch), static_cast<std::uint32_t>(batch.size()), sizeof(sluice_event), 0,
                          batch.data(), 0};
  std::string error;
  judging_ = &out;
  sluice_status status = SLUICE_OK;
  if (node_.emits()) {
    DerivedWriter derived(records_, block);
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
  if (now_ns < next_tick_ns_) return next_tick_ns_;
  out.verdicts.clear();
  out.reasons.clear();
  out.derived.clear();
  out.halted = false;
  std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
  if (shared_) turn.lock();
  std::uint32_t again_ms = 0;
  if (node_.emits() && block != nullptr) {
    DerivedWriter derived(records_, *block);
    again_ms = node_.tick(now_ns, &derived.writer);
    decode_derived(derived.writer, {}, *block, out);
  } else {
    again_ms = node_.tick(now_ns, nullptr);
  }
  next_tick_ns_ = again_ms == 0 ? now_ns : now_ns + std::uint64_t{again_ms} * 1'000'000;
  return again_ms == 0 ? kNever : next_tick_ns_;
}

void InlineConsumer::settled(std::span<const std::uint64_t> seq, std::span<const std::uint8_t> outcome) {
  std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
  if (shared_) turn.lock();
  node_.settled(seq, outcome);
}

/// Fills in what a consumer may leave out of a derived event: specversion, source (its cause's), an id that is the same
/// whenever the same cause is judged again, and the time.
sluice_record InlineConsumer::completed(const sluice_record& record, std::span<const sluice_event> batch,
                                        Block& block) {
  const auto has = [&](std::string_view name) {
    for (std::uint32_t i = 0; i < record.header_count; ++i) {
      if (std::string_view(record.headers[i].name.ptr, record.headers[i].name.len) == name) return true;
    }
    return false;
  };
  auto* headers = block.allocate_array<sluice_attribute>(record.header_count + 4);
  std::uint32_t count = 0;
  std::string_view type;
  for (std::uint32_t i = 0; i < record.header_count; ++i) {
    headers[count++] = record.headers[i];
    if (std::string_view(record.headers[i].name.ptr, record.headers[i].name.len) == "type") {
      type = {record.headers[i].value.ptr, record.headers[i].value.len};
    }
  }
  const auto add = [&](std::string_view name, std::string_view value, std::uint32_t kind) {
    if (!has(name)) headers[count++] = {str_of(name), str_of(block.keep(value)), kind, 0};
  };
  const sluice_event* cause = record.parent < batch.size() ? &batch[record.parent] : nullptr;
  const std::int64_t unix_ns = world_.clock.unix_ns();
  add("specversion", "1.0", SLUICE_STRING);
  add("source", cause != nullptr ? std::string(text_of(*cause, cause->source)) : "/sluice/" + name_, SLUICE_URI_REF);
  if (!has("id")) {
    UuidText id;
    if (cause != nullptr) {
      const std::string place = std::string(text_of(*cause, cause->source)) + '\n' +
                                std::string(text_of(*cause, cause->id)) + '\n' + std::string(type) + '\n' +
                                std::string(record.position.ptr == nullptr ? "" : record.position.ptr, record.position.len);
      id = names_.uuid(name_, place, 0);
    } else {
      id = time_ordered_uuid(unix_ns, world_.seed ^ ++made_ids_ * 0x9e3779b97f4a7c15ull);
    }
    add("id", {id.data(), id.size()}, SLUICE_STRING);
  }
  add("time", timestamp_text(unix_ns), SLUICE_TIMESTAMP);
  sluice_record filled = record;
  filled.headers = headers;
  filled.header_count = count;
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
    if ((record.flags & SLUICE_ATTRIBUTES) != 0) record = completed(record, batch, block);
    const std::size_t before = block.events.size();
    const RecordContext context{name_, world_.clock.unix_ns(), world_.seed + i};
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
