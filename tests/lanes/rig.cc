#include "rig.hh"

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace sluice::test {

void KeptLog::write(Level, std::string_view sentence, std::span<const Field> fields) noexcept {
  std::string line(sentence);
  for (const Field& field : fields) line += " " + std::string(field.key) + "=" + field.value;
  lines.push_back(std::move(line));
}

std::size_t KeptLog::count(std::string_view words) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(lines, [&](const std::string& line) { return line.find(words) != std::string::npos; }));
}

std::string event_json(const std::string& id, const std::string& type, const std::string& data) {
  return R"({"specversion":"1.0","id":")" + id + R"(","source":"/test","type":")" + type + R"(","data":)" + data + "}";
}

// ---- source ----

std::uint64_t FakeSource::offer_text(std::string text) {
  records_.emplace_back(next_tag_, std::move(text));
  return next_tag_++;
}

sluice_status FakeSource::pull(sluice_writer& out, std::string&) {
  const std::uint32_t most = std::min(out.cap, per_pull);
  while (out.count < most && !records_.empty()) {
    const auto& [tag, text] = records_.front();
    std::memcpy(out.bytes + out.bytes_len, text.data(), text.size());
    sluice_record* record = SLUICE_RECORD(&out, out.count++);
    record->ptr = out.bytes + out.bytes_len;
    record->len = text.size();
    record->tag = tag;
    out.bytes_len += text.size();
    records_.pop_front();
  }
  if (records_.empty() && ended_) return SLUICE_END;
  return out.count > 0 ? SLUICE_OK : SLUICE_AGAIN;
}

void FakeSource::settle(std::span<const sluice_settlement> settlements) {
  for (const sluice_settlement& s : settlements) {
    told.push_back({s.tag, static_cast<Outcome>(s.outcome), s.code, {s.reason.ptr, s.reason.len}});
  }
}

bool FakeSource::heard(std::uint64_t tag) const { return std::ranges::count(told, tag, &Told::tag) == 1; }

const Told& FakeSource::of(std::uint64_t tag) const {
  const auto found = std::ranges::find(told, tag, &Told::tag);
  if (found == told.end()) throw std::runtime_error("record " + std::to_string(tag) + " was not settled");
  return *found;
}

// ---- backend ----

sluice_status FakeBackend::publish(const sluice_batch& batch, std::uint32_t& count, std::string& error) {
  ++publishes;
  if (away) return error = "refused", SLUICE_AWAY;
  if (fail) return error = "broken", SLUICE_FAILED;
  count = std::min(batch.count, room);
  room -= count;
  for (std::uint32_t i = 0; i < count; ++i) {
    const sluice_event* event = SLUICE_EVENT(&batch, i);
    taken.push_back({batch.ticket + i,
                     {event->text + event->id.at, event->id.len},
                     {event->text + event->json.at, event->json.len}});
    done_.push_back(answers_at_once);
  }
  if (answers_at_once && count > 0) events->complete(batch.ticket, count, nullptr);
  return SLUICE_OK;
}

std::vector<std::string> FakeBackend::ids() const {
  std::vector<std::string> out;
  for (const Taken& t : taken) out.push_back(t.id);
  return out;
}

void FakeBackend::complete(const std::string& id, sluice_status status, const std::string& reason,
                           std::uint32_t retry_after_ms, std::int32_t code) {
  for (std::size_t i = taken.size(); i-- > 0;) {
    if (taken[i].id != id || done_[i]) continue;
    done_[i] = true;
    const sluice_result result{sizeof(sluice_result), retry_after_ms, status, code, {reason.data(), reason.size()}};
    events->complete(taken[i].ticket, 1, &result);
    return;
  }
  throw std::runtime_error("no open event " + id);
}

void FakeBackend::complete_all(sluice_status status, const std::string& reason) {
  for (std::size_t i = 0; i < taken.size(); ++i) {
    if (!done_[i]) complete(taken[i].id, status, reason);
  }
}

Status FakeBackend::stop(std::chrono::milliseconds) {
  complete_all(SLUICE_CANCELLED);
  return {};
}

// ---- consumer ----

sluice_status FakeConsumer::process(const sluice_batch& in, std::uint8_t* verdict, sluice_writer* out,
                                    std::string& error) {
  for (std::uint32_t i = 0; i < in.count; ++i) {
    const sluice_event* event = SLUICE_EVENT(&in, i);
    seen.emplace_back(event->text + event->id.at, event->id.len);
  }
  return judge ? judge(in, verdict, out, error) : SLUICE_OK;
}

// ---- key store ----

bool FakeKeyStore::World::has(const KeyHash& key) const {
  return std::ranges::find(keys, key, &Key::key) != keys.end();
}

void FakeKeyStore::load(const std::function<void(const KeyHash&, std::int64_t)>& take) {
  if (world_.shared) return;
  for (const Key& key : world_.keys) take(key.key, key.unix_ms);
}

Status FakeKeyStore::lookup(std::span<const KeyHash> keys, std::uint8_t* present) {
  ++world_.lookups;
  if (world_.away) return answer();
  for (std::size_t i = 0; i < keys.size(); ++i) present[i] = world_.has(keys[i]) ? 1 : 0;
  return {};
}

Status FakeKeyStore::record(std::span<const KeyHash> keys, std::int64_t unix_ms) {
  if (world_.away) return answer();
  ++world_.records;
  for (const KeyHash& key : keys) world_.keys.push_back({key, unix_ms});
  return {};
}

Status FakeKeyStore::claim(std::span<const AskedKey> keys, std::uint8_t* taken) {
  if (world_.away) return answer();
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto found = std::ranges::find(world_.claims, keys[i].key, &AskedKey::key);
    if (found == world_.claims.end()) {
      world_.claims.push_back(keys[i]);
    } else {
      taken[i] = found->owner != keys[i].owner ? 1 : 0;
    }
  }
  return {};
}

Status FakeKeyStore::release(std::span<const AskedKey> keys) {
  if (world_.away) return answer();
  for (const AskedKey& asked : keys) {
    std::erase_if(world_.claims, [&](const AskedKey& c) { return c.key == asked.key && c.owner == asked.owner; });
  }
  return {};
}

// ---- rig ----

Delivery Rig::fast() {
  Delivery delivery;
  delivery.retry.delay = milliseconds(100);
  delivery.retry.backoff = RetryPolicy::Backoff::constant;
  delivery.retry.jitter = RetryPolicy::Jitter::none;
  delivery.breaker.enabled = false;
  return delivery;
}

NodeConfig& Rig::add(NodeKind kind, const std::string& name, const std::vector<std::string>& inputs) {
  NodeConfig made;
  made.kind = kind;
  made.name = name;
  made.format = cloudevents_format();
  for (const std::string& input : inputs) {
    const std::size_t dot = input.find('.');
    made.inputs.push_back({input.substr(0, dot), dot == std::string::npos ? "" : input.substr(dot + 1), {}});
  }
  config.nodes.push_back(std::move(made));
  return config.nodes.back();
}

FakeSource& Rig::source(const std::string& name, Acknowledge acknowledge) {
  add(NodeKind::source, name, {}).acknowledge = std::move(acknowledge);
  facts_.push_back({});
  auto made = std::make_unique<FakeSource>();
  FakeSource& source = *made;
  nodes_.push_back({std::move(made), nullptr, nullptr, nullptr});
  return source;
}

FakeBackend& Rig::backend(const std::string& name, const std::vector<std::string>& inputs, Delivery delivery) {
  add(NodeKind::backend, name, inputs).delivery = std::move(delivery);
  facts_.push_back({});
  auto made = std::make_unique<FakeBackend>();
  FakeBackend& backend = *made;
  nodes_.push_back({nullptr, nullptr, std::move(made), nullptr});
  return backend;
}

Delivery Rig::fast_spool() {
  Delivery delivery = fast();
  delivery.when_full = WhenFull::spool;
  delivery.spool.path = "memory";
  delivery.spool.fsync = SpoolPolicy::Fsync::every_batch;
  delivery.spool.max_bytes = 1024 * 1024;
  delivery.spool.segment_bytes = 4096;
  return delivery;
}

FakeBackend& Rig::spooled(const std::string& name, const std::vector<std::string>& inputs, MemoryDisk& disk,
                          Delivery delivery) {
  FakeBackend& made = backend(name, inputs, std::move(delivery));
  nodes_.back().spool = std::make_unique<MemorySpool>(disk);
  return made;
}

FakeConsumer& Rig::consumer(const std::string& name, const std::vector<std::string>& inputs, std::uint32_t flags,
                            std::vector<std::string> ports) {
  add(NodeKind::consumer, name, inputs);
  facts_.push_back({flags, std::move(ports), 0});
  auto made = std::make_unique<FakeConsumer>();
  FakeConsumer& consumer = *made;
  consumer.emitting = (flags & SLUICE_EMITS) != 0;
  nodes_.push_back({nullptr, std::move(made), nullptr, nullptr});
  return consumer;
}

FakeConsumer& Rig::durable(const std::string& name, const std::vector<std::string>& inputs, MemoryDisk& disk,
                           SpoolPolicy::OnFull on_full) {
  FakeConsumer& made = consumer(name, inputs, SLUICE_OBSERVER);
  node(name).delivery = fast_spool();
  node(name).delivery.spool.on_full = on_full;
  node(name).queue_kind = ObserverQueue::durable;
  nodes_.back().spool = std::make_unique<MemorySpool>(disk);
  return made;
}

void Rig::key_store(const std::string& source, FakeKeyStore::World& world) {
  node(source).dedup.emplace();
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    if (config.nodes[i].name == source) nodes_[i].key_store = std::make_unique<FakeKeyStore>(world);
  }
}

void Rig::flags(const std::string& name, std::uint32_t flags) {
  for (std::size_t i = 0; i < config.nodes.size(); ++i) {
    if (config.nodes[i].name == name) facts_[i].flags = flags;
  }
}

NodeConfig& Rig::node(const std::string& name) { return *std::ranges::find(config.nodes, name, &NodeConfig::name); }

void Rig::build() {
  Graph graph = build_graph(config, facts_);
  pipeline_ = std::make_unique<Pipeline>(config, std::move(graph), std::move(nodes_),
                                         PipelineWorld{clock, log, 7, &undelivered});
  pipeline_->start();
}

void Rig::step(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    for (Lane* lane : pipeline_->lanes()) {
      if (!lane->finished()) lane->step(milliseconds(0));
    }
    (void)pipeline_->control();
  }
}

void Rig::stop() {
  pipeline_->request_stop();
  for (int i = 0; i < 1000 && !pipeline_->finished(); ++i) {
    step();
    clock.advance(milliseconds(50));
  }
}

const NodeStats& Rig::stats(const std::string& name) {
  for (NodeIndex i = 0; i < pipeline_->graph().nodes.size(); ++i) {
    if (pipeline_->graph().nodes[i].name == name) return pipeline_->stats(i);
  }
  throw std::runtime_error("no node " + name);
}

}  // namespace sluice::test
