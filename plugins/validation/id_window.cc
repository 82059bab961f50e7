#include "id_window.hh"

#include <cstring>

namespace validation {
namespace {

constexpr std::uint64_t kMixA = 0x9e3779b97f4a7c15u, kMixB = 0xd6e8feb86659fd93u, kMixC = 0xa0761d6478bd642fu;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

/// Eight bytes at a time, each folded in by a 128-bit product. Not a cipher: nobody gains by a collision here.
void mix(IdHash& hash, std::string_view text) noexcept {
  const char* at = text.data();
  std::size_t left = text.size();
  while (left > 0) {
    std::uint64_t word = 0;
    const std::size_t part = left < 8 ? left : 8;
    std::memcpy(&word, at, part);
    hash.high = fold(hash.high ^ word, kMixA) + kMixB;
    hash.low = fold(hash.low + word, kMixC) ^ (hash.high >> 32);
    at += part;
    left -= part;
  }
  hash.high = fold(hash.high ^ text.size(), kMixB);
  hash.low = fold(hash.low ^ ~text.size(), kMixA);
}

}  // namespace

IdHash hash_identity(std::string_view source, std::string_view id) noexcept {
  IdHash hash{kMixC, kMixB};
  mix(hash, source);
  mix(hash, id);
  return hash;
}

std::uint32_t IdWindow::find(const IdHash& id) const noexcept {
  std::uint32_t place = static_cast<std::uint32_t>(id.low) % kPlaces;
  while (table_[place] != 0 && !(ring_[table_[place] - 1] == id)) place = (place + 1) % kPlaces;
  return place;
}

bool IdWindow::contains(const IdHash& id) const noexcept { return size_ > 0 && table_[find(id)] != 0; }

void IdWindow::add(const IdHash& id) {
  if (!ring_) {
    ring_.reset(new IdHash[kIdsMax]);
    table_.reset(new std::uint32_t[kPlaces]());
  }
  if (size_ == kIdsMax) remove_oldest();
  const std::uint32_t at = (first_ + size_++) % kIdsMax;
  const std::uint32_t place = find(id);
  ring_[at] = id;
  table_[place] = at + 1;
}

void IdWindow::remove_oldest() noexcept {
  std::uint32_t hole = find(ring_[first_]);
  first_ = (first_ + 1) % kIdsMax;
  --size_;
  // Close the hole: move back whoever sits behind it and would be found only through it.
  for (std::uint32_t next = (hole + 1) % kPlaces; table_[next] != 0; next = (next + 1) % kPlaces) {
    const std::uint32_t home = static_cast<std::uint32_t>(ring_[table_[next] - 1].low) % kPlaces;
    const bool may_move = (next - home) % kPlaces >= (next - hole) % kPlaces;
    if (!may_move) continue;
    table_[hole] = table_[next];
    hole = next;
  }
  table_[hole] = 0;
}

}  // namespace validation
