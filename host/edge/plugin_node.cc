// The tables of a class behind the interfaces that lanes drive.

#include "edge/plugin_node.hh"

#include "edge/plugin_border.hh"

#include <algorithm>

namespace sluice {

const char* status_text(sluice_status status) noexcept {
  switch (status) {
    case SLUICE_OK:
      return "ok";
    case SLUICE_AGAIN:
      return "again";
    case SLUICE_REJECTED:
      return "rejected";
    case SLUICE_CANCELLED:
      return "cancelled";
    case SLUICE_TIMEOUT:
      return "timeout";
    case SLUICE_BAD_CONFIG:
      return "bad config";
    case SLUICE_UNSUPPORTED:
      return "unsupported";
    case SLUICE_HALT:
      return "halt";
    case SLUICE_END:
      return "end";
    case SLUICE_AWAY:
      return "away";
    default:
      return "failed";
  }
}

namespace {

class PluginSource final : public PluginNode<SourceNode> {
 public:
  using PluginNode::PluginNode;
  sluice_status pull(sluice_writer& out, std::string& error) override {
    return border_.call_with_error(
        "pull", error, [&](sluice_error* text) { return border_.table().source->pull(border_.node(), &out, text); });
  }
  void settle(std::span<const sluice_settlement> settlements) override {
    border_.call_void("settle", [&] {
      border_.table().source->settle(border_.node(), settlements.data(), static_cast<std::uint32_t>(settlements.size()),
                                     sizeof(sluice_settlement));
    });
  }
  bool in_order() const noexcept override { return (border_.table().flags & SLUICE_IN_ORDER) != 0; }
  bool cannot_hold() const noexcept override { return (border_.table().flags & SLUICE_CANNOT_HOLD) != 0; }
};

class PluginConsumer final : public PluginNode<ConsumerNode> {
 public:
  PluginConsumer(const LoadedClass& loaded, PluginHost& host, const NodeServices& services)
      : PluginNode(loaded, host, services),
        process_(loaded.table->consumer->process),
        tick_(SLUICE_HAS(loaded.table->consumer, sluice_consumer, tick) ? loaded.table->consumer->tick : nullptr),
        settled_(SLUICE_HAS(loaded.table->consumer, sluice_consumer, settled) ? loaded.table->consumer->settled
                                                                              : nullptr) {}

  sluice_status process(const sluice_batch& in, std::uint8_t* verdict, sluice_writer* out,
                        std::string& error) override {
    return border_.call_with_error(
        "process", error, [&](sluice_error* text) { return process_(border_.node(), &in, verdict, out, text); });
  }
  bool ticks() const noexcept override { return tick_ != nullptr; }
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out) override {
    std::uint32_t again_ms = 0;
    if (tick_ != nullptr) border_.call_void("tick", [&] { again_ms = tick_(border_.node(), now_ns, out); });
    return again_ms;
  }
  bool wants_settled() const noexcept override { return settled_ != nullptr; }
  void settled(std::span<const std::uint64_t> seq, std::span<const std::uint8_t> outcome) override {
    if (settled_ == nullptr) return;
    const auto count = static_cast<std::uint32_t>(std::min(seq.size(), outcome.size()));
    border_.call_void("settled", [&] { settled_(border_.node(), seq.data(), outcome.data(), count); });
  }
  bool emits() const noexcept override { return (border_.table().flags & SLUICE_EMITS) != 0; }
  std::vector<std::string> wanted_types() override { return border_.wanted_types(); }

 private:
  decltype(sluice_consumer::process) const process_;
  decltype(sluice_consumer::tick) const tick_;
  decltype(sluice_consumer::settled) const settled_;
};

class PluginBackend final : public PluginNode<BackendNode> {
 public:
  PluginBackend(const LoadedClass& loaded, PluginHost& host, const NodeServices& services)
      : PluginNode(loaded, host, services),
        publish_(loaded.table->backend->publish),
        flush_(SLUICE_HAS(loaded.table->backend, sluice_backend, flush) ? loaded.table->backend->flush : nullptr) {}

  sluice_status publish(const sluice_batch& batch, std::uint32_t& taken, std::string& error) override {
    taken = 0;
    const sluice_status status = border_.call_with_error(
        "publish", error, [&](sluice_error* text) { return publish_(border_.node(), &batch, &taken, text); });
    return status;
  }
  void flush() override {
    if (flush_ != nullptr) border_.call_void("flush", [&] { flush_(border_.node()); });
  }

 private:
  decltype(sluice_backend::publish) const publish_;
  decltype(sluice_backend::flush) const flush_;
};

template <class Made>
std::unique_ptr<Made> make(const LoadedClass& loaded, NodeSeat& seat, const NodeServices& services, Status& status) {
  PluginHost& host = PluginHost::make(loaded.module, seat.name, seat.replica, seat.replicas, services);
  host.offer(seat.once_keys);
  auto made = std::make_unique<Made>(loaded, host, services);
  made->create(seat.config_json, status);
  if (!status.ok()) made.reset();
  return made;
}

}  // namespace

CreatedNode create_node(const LoadedClass& loaded, NodeSeat seat, const NodeServices& services) {
  CreatedNode out;
  switch (loaded.description->kind) {
    case NodeKind::source:
      out.source = make<PluginSource>(loaded, seat, services, out.status);
      break;
    case NodeKind::consumer:
      out.consumer = make<PluginConsumer>(loaded, seat, services, out.status);
      break;
    case NodeKind::backend:
      out.backend = make<PluginBackend>(loaded, seat, services, out.status);
      break;
  }
  return out;
}

Status probe_node(const LoadedClass& loaded, NodeSeat seat, const NodeServices& services,
                  std::chrono::milliseconds timeout) {
  Status status;
  const auto probe = [&](auto made) { return made == nullptr ? status : made->probe(timeout); };
  switch (loaded.description->kind) {
    case NodeKind::source:
      return probe(make<PluginSource>(loaded, seat, services, status));
    case NodeKind::consumer:
      return probe(make<PluginConsumer>(loaded, seat, services, status));
    case NodeKind::backend:
      return probe(make<PluginBackend>(loaded, seat, services, status));
  }
  return status;
}

}  // namespace sluice
