#include "edge/dedup_plugin.hh"

#include "edge/plugin_border.hh"

#include <sluice/ext/key_store.h>

#include <array>
#include <vector>

namespace sluice {
namespace {

class PluginKeyStore final : public KeyStoreNode {
 public:
  PluginKeyStore(const LoadedClass& loaded, PluginHost& host, const NodeServices& services, std::uint64_t ttl_ms)
      : border_(loaded, host, services), ttl_ms_(ttl_ms) {}

  void create(const std::string& config_json, Status& status) {
    border_.create(config_json, status);
    if (!status.ok()) return;
    const sluice_class& table = border_.table();
    if (SLUICE_HAS(&table, sluice_class, extension) && table.extension != nullptr) {
      border_.call_void("extension", [&] {
        store_ = static_cast<const sluice_key_store*>(table.extension(&table, SLUICE_KEY_STORE));
      });
    }
    const bool whole = store_ != nullptr && SLUICE_HAS(store_, sluice_key_store, record) && store_->lookup != nullptr &&
                       store_->record != nullptr;
    if (!whole) status = {SLUICE_UNSUPPORTED, "the class offers no key store (" SLUICE_KEY_STORE ")"};
  }

  void attach(NodeEvents* events) noexcept override { border_.host().attach(events); }
  Status start(std::chrono::milliseconds timeout) override {
    return border_.control("start", border_.table().start, timeout);
  }
  Status stop(std::chrono::milliseconds timeout) override {
    return border_.control("stop", border_.table().stop, timeout);
  }
  // The node is asked and answers; it has nothing to wait for in between.
  bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  bool polls() const noexcept override { return false; }
  std::uint64_t breaches() const noexcept override { return border_.host().breaches(); }

  bool shared() const noexcept override { return true; }
  void load(const std::function<void(const KeyHash&, std::int64_t)>&) override {}

  Status lookup(std::span<const KeyHash> keys, std::uint8_t* present) override {
    spell(keys);
    return ask("lookup", [&](sluice_error* error) {
      return store_->lookup(border_.node(), views_.data(), count(), present, to_ms(limits::kKeyStoreTimeout), error);
    });
  }
  Status record(std::span<const KeyHash> keys, std::int64_t) override {
    spell(keys);
    return ask("record", [&](sluice_error* error) {
      return store_->record(border_.node(), views_.data(), count(), ttl_ms_, to_ms(limits::kKeyStoreTimeout), error);
    });
  }
  [[nodiscard]] bool claims() const noexcept {
    return SLUICE_HAS(store_, sluice_key_store, release) && store_->claim != nullptr && store_->release != nullptr;
  }
  Status claim(std::span<const AskedKey> keys, std::uint8_t* taken) override {
    spell_both(keys);
    return ask("claim", [&](sluice_error* error) {
      return store_->claim(border_.node(), views_.data(), owners_.data(), count(), ttl_ms_, taken,
                           to_ms(limits::kKeyStoreTimeout), error);
    });
  }
  Status release(std::span<const AskedKey> keys) override {
    spell_both(keys);
    return ask("release", [&](sluice_error* error) {
      return store_->release(border_.node(), views_.data(), owners_.data(), count(), to_ms(limits::kKeyStoreTimeout),
                             error);
    });
  }
  bool tidy(std::int64_t) override { return false; }  // keys expire there by themselves

 private:
  template <class Call>
  Status ask(const char* name, Call&& call) {
    Status status;
    status.code = border_.call_with_error(name, status.text, call);
    if (!status.ok() && status.text.empty()) status.text = std::string(name) + "(): " + status_text(status.code);
    return status;
  }
  /// Keys as others may read them: in hexadecimal digits. The buffers stay.
  void spell(std::span<const KeyHash> keys) {
    texts_.clear();
    views_.clear();
    for (const KeyHash& key : keys) texts_.push_back(key.text());
    for (const auto& text : texts_) views_.push_back({text.data(), text.size()});
  }
  void spell_both(std::span<const AskedKey> keys) {
    texts_.clear();
    views_.clear();
    owners_.clear();
    for (const AskedKey& asked : keys) {
      texts_.push_back(asked.key.text());
      texts_.push_back(asked.owner.text());
    }
    for (std::size_t i = 0; i < texts_.size(); i += 2) {
      views_.push_back({texts_[i].data(), texts_[i].size()});
      owners_.push_back({texts_[i + 1].data(), texts_[i + 1].size()});
    }
  }
  [[nodiscard]] std::uint32_t count() const noexcept { return static_cast<std::uint32_t>(views_.size()); }

  Border border_;
  const std::uint64_t ttl_ms_;
  const sluice_key_store* store_ = nullptr;
  std::vector<std::array<char, 32>> texts_;
  std::vector<sluice_str> views_, owners_;
};

}  // namespace

std::unique_ptr<KeyStoreNode> create_key_store(const LoadedClass& loaded, const NodeSeat& seat,
                                               std::chrono::milliseconds ttl, const NodeServices& services,
                                               Status& status, bool claims) {
  PluginHost& host = PluginHost::make(loaded.module, seat.name, seat.replica, seat.replicas, services);
  auto made = std::make_unique<PluginKeyStore>(loaded, host, services, static_cast<std::uint64_t>(ttl.count()));
  made->create(seat.config_json, status);
  if (status.ok() && claims && !made->claims()) status = {SLUICE_UNSUPPORTED, "the class's key store has no claims"};
  if (!status.ok()) return nullptr;
  return made;
}

}  // namespace sluice
