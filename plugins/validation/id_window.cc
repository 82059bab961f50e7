#include "id_window.hh"

#include <algorithm>
#include <cstring>

namespace validation {
namespace {

constexpr std::uint64_t kMixA = 0x9e3779b97f4a7c15u, kMixB = 0xd6e8feb86659fd93u, kMixC = 0xa0761d6478bd642fu,
                        kMixD = 0xe7037ed1a0b428dbu;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) noexcept {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

template <class Word>
std::uint64_t word_at(const char* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

/// Sixteen bytes a step, folded in by a 128-bit product for each half; the halves do not wait for each other. Not a
/// cipher: nobody gains by a collision here.
void mix_pair(IdHash& hash, std::uint64_t a, std::uint64_t b) noexcept {
  hash.high = fold(hash.high ^ a ^ kMixA, b ^ kMixB);
  hash.low = fold(hash.low ^ b ^ kMixC, a ^ kMixD);
}

/// The last step of a text overlaps the one before instead of going byte by byte: with the length, which opens the
/// text, it still says every byte.
void mix(IdHash& hash, std::string_view text) noexcept {
  const char* at = text.data();
  std::size_t left = text.size();
  hash.high ^= left;
  hash.low += left * kMixB;
  for (; left > 16; at += 16, left -= 16) mix_pair(hash, word_at<std::uint64_t>(at), word_at<std::uint64_t>(at + 8));
  if (text.size() >= 16) {
    at = at + left - 16;
    mix_pair(hash, word_at<std::uint64_t>(at), word_at<std::uint64_t>(at + 8));
  } else if (left >= 8) {
    mix_pair(hash, word_at<std::uint64_t>(at), word_at<std::uint64_t>(at + left - 8));
  } else if (left >= 4) {
    mix_pair(hash, word_at<std::uint32_t>(at), word_at<std::uint32_t>(at + left - 4));
  } else {
    std::uint64_t bytes = 0;
    for (std::size_t i = 0; i < left; ++i) bytes = bytes << 8 | static_cast<unsigned char>(at[i]);
    mix_pair(hash, bytes, ~bytes);
  }
}

}  // namespace

IdHash hash_identity(std::string_view source, std::string_view id) noexcept {
  IdHash hash{kMixC, kMixB};
  mix(hash, source);
  mix(hash, id);
  return {fold(hash.high ^ kMixD, kMixA), fold(hash.low ^ kMixB, kMixC)};
}

void IdWindow::Generation::add(const IdHash& id) {
  if (!ids) {
    ids.reset(new IdHash[kIdsMin]);
    table.reset(new std::uint32_t[kPlaces]());
  }
  std::uint32_t place = home_of(id);
  while (table[place] != 0) place = (place + 1) % kPlaces;
  table[place] = entry_of(id, size);
  ids[size++] = id;
}

void IdWindow::Generation::clear() noexcept {
  if (size > 0) std::fill_n(table.get(), kPlaces, 0u);
  size = 0;
}

void IdWindow::add(const IdHash& id) {
  if (current().size == kIdsMin) {
    current_ = 1 - current_;
    generations_[current_].clear();
  }
  generations_[current_].add(id);
}

}  // namespace validation
