// A source that can hold its events: it knows over all lives of the host what is not settled, and offers that again.
#pragma once

#include "world.hh"

#include "core/backoff.hh"
#include "run/source_lane.hh"

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

namespace sluice::sim {

/// What a source that can hold its events knows over all lives of the host.
struct Shelf {
  struct Item {
    std::string id;
    std::string type = "t";
    std::string key;  // its partition key; may be empty
    bool settled = false, delivered = false, offered = false;
  };
  std::vector<Item> items;
  std::function<void(const std::string& id)> comes_again;  // it was refused, and is offered once more; may be empty
};

/// Hands over what is not settled yet; after a crash that is offered again.
class HoldingSource final : public SourceNode {
 public:
  HoldingSource(Shelf& shelf, std::uint64_t seed) : shelf_(shelf), random_(seed) {
    for (Shelf::Item& item : shelf_.items) item.offered = false;
  }
  void attach(NodeEvents*) noexcept override {}
  [[nodiscard]] Status start(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] bool poll(int, std::chrono::milliseconds, std::uint32_t, Status&) override { return false; }
  [[nodiscard]] bool polls() const noexcept override { return false; }
  Status stop(std::chrono::milliseconds) override { return {}; }
  [[nodiscard]] sluice_status pull(sluice_writer& out, std::string&) override {
    const auto want = random_.below(std::min<std::uint64_t>(out.cap, 24) + 1);
    bool any_left = false;
    for (std::size_t i = 0; i < shelf_.items.size(); ++i) {
      Shelf::Item& item = shelf_.items[i];
      if (item.settled) continue;
      any_left = true;
      if (item.offered || out.count >= want) continue;
      const std::string text = R"({"specversion":"1.0","id":")" + item.id + R"(","source":"/s","type":")" + item.type +
                               (item.key.empty() ? "" : R"(","partitionkey":")" + item.key) + R"(","data":")" +
                               std::string(random_.below(80), 'x') + "\"}";
      if (out.bytes_len + text.size() > out.bytes_cap) break;
      std::memcpy(out.bytes + out.bytes_len, text.data(), text.size());
      sluice_record* record = SLUICE_RECORD(&out, out.count++);
      record->ptr = out.bytes + out.bytes_len;
      record->len = text.size();
      record->tag = i;
      out.bytes_len += text.size();
      item.offered = true;
    }
    return any_left ? SLUICE_OK : SLUICE_END;
  }
  void settle(std::span<const sluice_settlement> settlements) override {
    for (const sluice_settlement& settlement : settlements) {
      Shelf::Item& item = shelf_.items.at(settlement.tag);
      require(!item.settled, item.id + " was settled twice");
      if (settlement.outcome == SLUICE_NOT_DELIVERED) {
        item.offered = false;  // it comes again
        if (shelf_.comes_again) shelf_.comes_again(item.id);
        continue;
      }
      item.settled = true;
      item.delivered = settlement.outcome == SLUICE_WAS_DELIVERED;
    }
  }
  [[nodiscard]] bool in_order() const noexcept override { return false; }
  [[nodiscard]] bool cannot_hold() const noexcept override { return false; }

 private:
  Shelf& shelf_;
  Random random_;
};

class Nowhere final : public UndeliveredSink {
 public:
  void write(std::string_view, std::string_view) noexcept override {}
};

}  // namespace sluice::sim
