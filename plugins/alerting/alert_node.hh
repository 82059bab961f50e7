// A node of one of the classes: rules in front, the courier behind, and a receiver of the class's own at the end.
#pragma once

#include "courier.hh"
#include "rehearsal.hh"
#include "rules.hh"

#include <sluice/cpp/plugin.hh>

#include <memory>
#include <span>
#include <string>

namespace alerting {

/// Where a node keeps its state: `state`, with {node} filled in; each lane of a list has a file of its own.
[[nodiscard]] inline std::string state_path(sluice::ConfigView config, std::string_view node) {
  std::string path = config.text("state");
  if (path == "none") return {};
  std::string name(node);
  for (char& c : name) {
    if (c == '/' || c == '[' || c == ']') c = c == ']' ? '_' : '-';
  }
  const std::size_t place = path.find("{node}");
  if (place != path.npos) return path.replace(place, 6, name);
  return node.find('[') == node.npos ? path : path + "." + name;
}

template <class Receiver>
class AlertNode {
 public:
  AlertNode(sluice::HostView host, sluice::ConfigView config)
      : rules_(host, config, Receiver::kEscape),
        settings_(settings_from(config, rules_)),
        receiver_(host, config),
        courier_(host, settings_, state_path(config, host.node()),
                 {[this](const Message& message) { return receiver_.send(message); }, [this] { receiver_.cancel(); },
                  [this] { return receiver_.secret_print(); }}) {}

  void start(std::chrono::milliseconds) { courier_.start(); }
  void stop(std::chrono::milliseconds timeout) { courier_.stop(timeout); }

  sluice_status process(sluice::BatchView batch, std::uint8_t*, sluice_writer*, sluice_error&) {
    if (!unwritten_) {  // else it was taken before, and only the disk has not got it yet
      for (const sluice::EventView event : batch) rules_.match(event, fired_);
      if (fired_.empty()) return SLUICE_OK;
    }
    const std::int64_t now_ms = wall_clock_ms();
    const bool written = courier_.change([&](Groups& groups) {
      for (Occurrence& what : fired_) groups.take(now_ms, std::move(what));
    });
    fired_.clear();
    // What the host keeps stays there until the state is on disk; of a queue in memory nothing is safe anyway.
    unwritten_ = !written && (batch.flags() & SLUICE_KEPT) != 0;
    if (unwritten_) throw sluice::Away("the state of the alerts cannot be written: what comes is held back");
    return SLUICE_OK;
  }

  [[nodiscard]] std::span<const sluice_str> wanted_types() const noexcept { return rules_.wanted_types(); }

  void test_message(std::chrono::milliseconds) {
    const Answer answer = receiver_.send(test_text(wall_clock_ms()));
    if (answer.result != Answer::Result::sent) throw sluice::Away(answer.reason + ": " + answer.text);
  }
  std::string render(const sluice::BatchView* batch) {
    if (rehearsal_ == nullptr) rehearsal_ = std::make_unique<Rehearsal>(settings_);
    const auto preview = [this](const Message& message) { return receiver_.preview(message); };
    if (batch == nullptr) return rehearsal_->end(preview);
    std::string out;
    for (const sluice::EventView event : *batch) {
      rules_.match(event, fired_);
      out += rehearsal_->event(event.time_seconds(), fired_, preview);
      fired_.clear();
    }
    return out;
  }
  std::string silences_path() { return courier_.silences_path(); }

  std::string summary() { return "messages: " + std::to_string(courier_.sent()) + " sent\n"; }

 private:
  Rules rules_;
  Settings settings_;
  Receiver receiver_;
  Courier courier_;
  std::vector<Occurrence> fired_;
  bool unwritten_ = false;  // the batch that is shown again is in memory, and not on disk
  std::unique_ptr<Rehearsal> rehearsal_;
};

}  // namespace alerting
