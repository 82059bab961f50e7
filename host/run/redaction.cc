#include "run/redaction.hh"

#include "core/redact.hh"

#include <algorithm>

namespace sluice {

struct Redaction::State {
  explicit State(const std::vector<std::string>& pointers) : redactor(pointers) {}
  Redactor redactor;
};

Redaction::Redaction(const std::vector<std::string>& pointers) {
  if (!pointers.empty()) state_ = std::make_unique<State>(pointers);
}

Redaction::~Redaction() = default;

bool Redaction::apply(Run& run, BlockPool& blocks) {
  if (state_ == nullptr) return false;
  BlockRef block;
  sluice_event* views = nullptr;
  for (std::uint32_t i = 0; i < run.count; ++i) {
    if (!block) block = blocks.take();
    sluice_event redacted;
    if (!state_->redactor.apply(run.events[i], *block, redacted)) continue;
    if (views == nullptr) {
      views = block->allocate_array<sluice_event>(run.count);
      std::copy_n(run.events, run.count, views);
    }
    views[i] = redacted;
  }
  if (views == nullptr) return false;
  block->keep_alive(std::move(run.block));  // untouched events still lie in the pull's own block
  run.block = std::move(block);
  run.events = views;
  return true;
}

}  // namespace sluice
