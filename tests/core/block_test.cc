// Blocks: the memory of one pull, from its pool and back.
#include "core/block.hh"

#include "catch.hh"

#include <cstring>
#include <set>
#include <string>

using namespace sluice;

namespace {

/// Counts releases; the log keeps their order.
struct Lender {
  int released = 0;
  static void release(void* arg) { ++static_cast<Lender*>(arg)->released; }
};

std::uintptr_t address(const void* p) { return reinterpret_cast<std::uintptr_t>(p); }

}  // namespace

TEST_CASE("block: every allocation is aligned, apart from the others, and padded") {
  BlockPool pool;
  const BlockRef block = pool.take();
  char* before = nullptr;
  for (std::size_t bytes : {1u, 15u, 16u, 17u, 4000u, 100'000u}) {
    char* at = block->allocate(bytes);
    CHECK(address(at) % 16 == 0);
    if (before != nullptr) CHECK(at >= before);
    std::memset(at, 'x', bytes + SLUICE_PADDING);  // a sanitizer sees what is not ours
    before = at + bytes + SLUICE_PADDING;
  }
}

TEST_CASE("block: what was allocated stays where it is, when more chunks are needed") {
  BlockPool pool;
  const BlockRef block = pool.take();
  char* first = block->allocate(200'000);
  std::memset(first, 'a', 200'000);
  char* second = block->allocate(200'000);  // does not fit behind the first
  std::memset(second, 'b', 200'000);
  char* huge = block->allocate(5'000'000);
  std::memset(huge, 'c', 5'000'000 + SLUICE_PADDING);
  CHECK(std::string_view(first, 200'000).find_first_not_of('a') == std::string_view::npos);
  CHECK(std::string_view(second, 200'000).find_first_not_of('b') == std::string_view::npos);
  CHECK(block->bytes_used() == 5'400'000);
}

TEST_CASE("block: a kept text is a copy with zeros behind it") {
  BlockPool pool;
  const BlockRef block = pool.take();
  std::string text = "event";
  const std::string_view kept = block->keep(text);
  text = "other";
  CHECK(kept == "event");
  const std::string zeros(SLUICE_PADDING, '\0');
  CHECK(std::string_view(kept.data() + kept.size(), SLUICE_PADDING) == zeros);
  CHECK(block->keep("").empty());
  CHECK(block->keep("").data() != nullptr);
}

TEST_CASE("block: a pull gives back what it did not fill, and the room is used again") {
  BlockPool pool;
  const BlockRef block = pool.take();
  char* pull = block->allocate(100'000);
  block->shrink_last(pull, 1000);
  CHECK(block->bytes_used() <= 1016);
  CHECK(block->bytes_used() >= 1000);
  char* next = block->allocate(10);
  CHECK(next >= pull + 1000 + SLUICE_PADDING);
  CHECK(next <= pull + 1000 + SLUICE_PADDING + 16);
}

TEST_CASE("block: shrinking to the full size, or from a chunk that is not the last, changes nothing") {
  BlockPool pool;
  const BlockRef block = pool.take();
  char* first = block->allocate(1000);
  block->shrink_last(first, 1000);
  CHECK(block->bytes_used() == 1000);
  (void)block->allocate(1'000'000);  // a chunk of its own
  block->shrink_last(first, 0);
  CHECK(block->bytes_used() == 1'001'000);
  char stranger = 0;
  block->shrink_last(&stranger, 0);
  CHECK(block->bytes_used() == 1'001'000);
  const BlockRef empty = pool.take();
  empty->shrink_last(&stranger, 0);
  CHECK(empty->bytes_used() == 0);
}

TEST_CASE("block: lent memory is released once, after the last reader") {
  BlockPool pool;
  Lender first, second;
  BlockRef block = pool.take();
  block->on_release(Lender::release, &first);
  block->on_release(Lender::release, &second);
  BlockRef reader = block;
  BlockRef another = reader;
  CHECK(block->refs() == 3);
  block = {};
  reader = std::move(another);
  CHECK(first.released == 0);
  CHECK(reader->refs() == 1);
  reader = {};
  CHECK(first.released == 1);
  CHECK(second.released == 1);
  { const BlockRef again = pool.take(); }  // the same block, used for something else
  CHECK(first.released == 1);
}

TEST_CASE("block: a block that is kept alive lives as long as the one that refers to it") {
  BlockPool pool, other_pool;
  Lender lender;
  BlockRef pulled = pool.take();
  pulled->on_release(Lender::release, &lender);
  BlockRef redacted = other_pool.take();
  redacted->keep_alive(std::move(pulled));
  CHECK_FALSE(pulled);
  CHECK(pool.in_use() == 1);
  CHECK(lender.released == 0);
  redacted = {};
  CHECK(lender.released == 1);
  CHECK(pool.in_use() == 0);
  CHECK(other_pool.in_use() == 0);
}

TEST_CASE("block: references are counted in bulk, too") {
  BlockPool pool;
  Block* block = pool.take().release();
  block->ref(9);
  block->unref(4);
  CHECK(pool.in_use() == 1);
  block->unref(6);
  CHECK(pool.in_use() == 0);
}

TEST_CASE("block pool: a block that came back is used again, empty") {
  BlockPool pool;
  Block* first = nullptr;
  {
    const BlockRef block = pool.take();
    first = block.get();
    block->events.resize(10);
    block->pulled.resize(10);
    (void)block->allocate(1000);
    (void)block->allocate(1'000'000);
  }
  const BlockRef again = pool.take();
  CHECK(again.get() == first);
  CHECK(again->events.empty());
  CHECK(again->pulled.empty());
  CHECK(again->bytes_used() == 0);
  CHECK(again->refs() == 1);
  std::memset(again->allocate(200'000), 'x', 200'000);
}

TEST_CASE("block pool: blocks in use are distinct and counted; of those that came back only some are kept") {
  BlockPool pool(2);
  std::vector<BlockRef> out;
  std::set<Block*> distinct;
  for (int i = 0; i < 5; ++i) {
    out.push_back(pool.take());
    distinct.insert(out.back().get());
  }
  CHECK(distinct.size() == 5);
  CHECK(pool.in_use() == 5);
  out.clear();  // three are freed: a leak checker sees if they are not
  CHECK(pool.in_use() == 0);
}

TEST_CASE("block reference: moves and assignments to itself keep the count") {
  BlockPool pool;
  BlockRef block = pool.take();
  BlockRef& alias = block;
  block = alias;
  CHECK(block->refs() == 1);
  const BlockRef moved = std::move(block);
  CHECK_FALSE(block);  // NOLINT(bugprone-use-after-move): that is what is tested
  CHECK(moved->refs() == 1);
}
