#include "core/block.hh"

#include <algorithm>
#include <cstring>

namespace sluice {

namespace {
constexpr std::size_t kChunkBytes = 288 * 1024;  // a full pull (256 KiB) and room for what is derived from it
constexpr std::size_t kKeepBytes = 512 * 1024;   // a recycled block keeps at most this much
constexpr std::size_t kAlign = 16;
}  // namespace

Block::Block(BlockPool* home) : home_(home) { events.reserve(256); }

Block::~Block() = default;

char* Block::allocate(std::size_t bytes) {
  const std::size_t needed = (bytes + SLUICE_PADDING + kAlign - 1) / kAlign * kAlign;
  if (chunks_.empty() || chunk_used_ + needed > chunks_.back().size) {
    const std::size_t size = std::max(needed, kChunkBytes);
    chunks_.push_back({std::make_unique_for_overwrite<char[]>(size), size});
    chunk_used_ = 0;
  }
  char* start = chunks_.back().memory.get() + chunk_used_;
  chunk_used_ += needed;
  bytes_used_ += bytes;
  return start;
}

void Block::shrink_last(const char* start, std::size_t used) noexcept {
  if (chunks_.empty()) return;
  const char* base = chunks_.back().memory.get();
  if (start < base || start >= base + chunks_.back().size) return;
  const std::size_t end =
      static_cast<std::size_t>(start - base) + (used + SLUICE_PADDING + kAlign - 1) / kAlign * kAlign;
  if (end < chunk_used_) {
    bytes_used_ -= std::min(bytes_used_, chunk_used_ - end);
    chunk_used_ = end;
  }
}

std::string_view Block::keep(std::string_view text) {
  char* copy = allocate(text.size());
  if (!text.empty()) std::memcpy(copy, text.data(), text.size());
  std::memset(copy + text.size(), 0, SLUICE_PADDING);
  return {copy, text.size()};
}

void Block::on_release(void (*release)(void*), void* arg) { lent_.push_back({release, arg}); }

void Block::keep_alive(BlockRef&& other) {
  kept_alive_.push_back(nullptr);  // first the room, so that nothing can fail once the reference is ours
  kept_alive_.back() = other.release();
}

void Block::unref(std::uint32_t count) noexcept {
  if (refs_.fetch_sub(count, std::memory_order_acq_rel) != count) return;
  recycle();
}

void Block::recycle() noexcept {
  for (const Lent& lent : lent_) lent.release(lent.arg);
  lent_.clear();
  for (Block* other : kept_alive_) other->unref();
  kept_alive_.clear();
  events.clear();
  pulled.clear();
  if (events.capacity() > 4096) events = {};
  if (pulled.capacity() > 4096) pulled = {};
  // Keep the first chunk when it is of ordinary size: the next pull fits into it without an allocation.
  if (chunks_.size() > 1) chunks_.resize(1);
  if (!chunks_.empty() && chunks_.front().size > kKeepBytes) chunks_.clear();
  chunk_used_ = 0;
  bytes_used_ = 0;
  home_->put_back(this);
}

BlockPool::~BlockPool() {
  for (Block* block : idle_) delete block;
}

BlockRef BlockPool::take() {
  {
    const std::lock_guard lock(mutex_);
    ++in_use_;
    if (!idle_.empty()) {
      Block* block = idle_.back();
      idle_.pop_back();
      return BlockRef(block);
    }
  }
  return BlockRef(new Block(this));
}

std::size_t BlockPool::in_use() const {
  const std::lock_guard lock(mutex_);
  return in_use_;
}

void BlockPool::put_back(Block* block) noexcept {
  {
    const std::lock_guard lock(mutex_);
    --in_use_;
    if (idle_.size() < keep_max_) {
      idle_.push_back(block);
      return;
    }
  }
  delete block;
}

}  // namespace sluice
