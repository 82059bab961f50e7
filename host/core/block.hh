// A block is the memory of one pull: the bytes, the event views over them, and whatever was derived from them on the
// way. It lives until its last reader lets go; then it returns to the pool of its source lane and is used again.
//
// Threads: built by the source lane alone; read by every lane once it is routed; references are counted atomically.
#pragma once

#include <sluice/writer.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice {

class BlockPool;
class BlockRef;

class Block {
 public:
  explicit Block(BlockPool* home);
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;
  ~Block();

  /// Room for `bytes`, followed by SLUICE_PADDING readable bytes. Valid until the block is recycled.
  [[nodiscard]] char* allocate(std::size_t bytes);
  /// A copy of text with padding behind it.
  [[nodiscard]] std::string_view keep(std::string_view text);
  template <class T>
  [[nodiscard]] T* allocate_array(std::size_t count) {
    static_assert(alignof(T) <= 16);
    return reinterpret_cast<T*>(allocate(count * sizeof(T)));
  }
  /// Gives back the unused end of the latest allocation (a pull that filled less than it was offered).
  void shrink_last(const char* start, std::size_t used) noexcept;

  /// The events decoded so far, in order. Pointers into it move while events are added: take them when decoding is
  /// done.
  std::vector<sluice_event> events;
  /// The pull's own events once decoding is done: the lane swaps them in here, so that events derived later, which grow
  /// `events`, move nothing that is already on its way.
  std::vector<sluice_event> pulled;

  /// Bytes that count against queue bounds.
  [[nodiscard]] std::size_t bytes_used() const noexcept { return bytes_used_; }

  /// Another block whose memory this one refers to: let go of together with this one.
  void keep_alive(BlockRef&& other);

  /// Memory lent by a source: called once, after the last reader. Several pulls may add one each.
  void on_release(void (*release)(void*), void* arg);

  void ref(std::uint32_t count = 1) noexcept { refs_.fetch_add(count, std::memory_order_relaxed); }
  /// Lets go of `count` references; the last one recycles the block. Any thread.
  void unref(std::uint32_t count = 1) noexcept;
  [[nodiscard]] std::uint32_t refs() const noexcept { return refs_.load(std::memory_order_acquire); }

 private:
  friend class BlockPool;
  struct Chunk {
    std::unique_ptr<char[]> memory;
    std::size_t size = 0;
  };
  struct Lent {
    void (*release)(void*);
    void* arg;
  };

  void recycle() noexcept;

  std::vector<Chunk> chunks_;
  std::size_t chunk_used_ = 0;  // in the last chunk
  std::size_t bytes_used_ = 0;
  std::vector<Lent> lent_;
  std::vector<Block*> kept_alive_;
  std::atomic<std::uint32_t> refs_{0};
  BlockPool* home_;
};

/// A reference to a block that lets go by itself.
class BlockRef {
 public:
  BlockRef() = default;
  explicit BlockRef(Block* block) noexcept : block_(block) {
    if (block_ != nullptr) block_->ref();
  }
  BlockRef(const BlockRef& other) noexcept : BlockRef(other.block_) {}
  BlockRef(BlockRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  BlockRef& operator=(BlockRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~BlockRef() {
    if (block_ != nullptr) block_->unref();
  }
  [[nodiscard]] Block* get() const noexcept { return block_; }
  /// Gives the reference away; whoever takes it must unref().
  [[nodiscard]] Block* release() noexcept { return std::exchange(block_, nullptr); }
  Block* operator->() const noexcept { return block_; }
  Block& operator*() const noexcept { return *block_; }
  explicit operator bool() const noexcept { return block_ != nullptr; }

 private:
  Block* block_ = nullptr;
};

/// Blocks of one source lane, kept for reuse so that the data path does not allocate. Outlives all of its blocks.
class BlockPool {
 public:
  explicit BlockPool(std::size_t keep_max = 16) : keep_max_(keep_max) {}
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  [[nodiscard]] BlockRef take();
  /// Blocks out in the graph now.
  [[nodiscard]] std::size_t in_use() const;

 private:
  friend class Block;
  void put_back(Block* block) noexcept;

  const std::size_t keep_max_;
  mutable std::mutex mutex_;
  std::vector<Block*> idle_;
  std::size_t in_use_ = 0;
};

}  // namespace sluice
