#include "core/uuid.hh"

#include "core/assert.hh"

#include <openssl/evp.h>

#include <cstddef>
#include <cstring>

namespace sluice {

namespace {

UuidText write(std::array<unsigned char, 16> bytes, unsigned version) noexcept {
  constexpr char kHex[] = "0123456789abcdef";
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0F) | (version << 4));
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3F) | 0x80);
  UuidText text{};
  std::size_t at = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
    text[at++] = kHex[bytes[i] >> 4];
    text[at++] = kHex[bytes[i] & 15];
  }
  return text;
}

/// Spreads 64 random bits over two words (splitmix64's finisher).
constexpr std::uint64_t mix(std::uint64_t x) noexcept {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

}  // namespace

UuidText time_ordered_uuid(std::int64_t unix_ns, std::uint64_t random) noexcept {
  const auto milliseconds = static_cast<std::uint64_t>(unix_ns / 1'000'000);
  std::array<unsigned char, 16> bytes{};
  for (std::size_t i = 0; i < 6; ++i) bytes[i] = static_cast<unsigned char>(milliseconds >> (40 - 8 * i));
  const std::uint64_t low = mix(random), high = mix(random + 0x9E3779B97F4A7C15u);
  std::memcpy(&bytes[6], &high, 2);
  std::memcpy(&bytes[8], &low, 8);
  return write(bytes, 7);
}

struct NameHash::Digest {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);

  Digest() { SLUICE_ASSERT(context != nullptr && sha256 != nullptr); }
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  ~Digest() {
    EVP_MD_free(sha256);
    EVP_MD_CTX_free(context);
  }
  void add(const void* data, std::size_t size) { SLUICE_ASSERT(EVP_DigestUpdate(context, data, size) == 1); }
};

NameHash::NameHash() : digest_(std::make_unique<Digest>()) {}
NameHash::NameHash(NameHash&&) noexcept = default;
NameHash& NameHash::operator=(NameHash&&) noexcept = default;
NameHash::~NameHash() = default;

std::array<unsigned char, 16> NameHash::hash(std::string_view first, std::string_view second, std::uint64_t index) {
  SLUICE_ASSERT(EVP_DigestInit_ex(digest_->context, digest_->sha256, nullptr) == 1);
  const std::uint64_t sizes[] = {first.size(), second.size(), index};
  digest_->add(sizes, sizeof sizes);
  digest_->add(first.data(), first.size());
  digest_->add(second.data(), second.size());
  std::array<unsigned char, EVP_MAX_MD_SIZE> whole{};
  SLUICE_ASSERT(EVP_DigestFinal_ex(digest_->context, whole.data(), nullptr) == 1);
  std::array<unsigned char, 16> bytes{};
  std::memcpy(bytes.data(), whole.data(), bytes.size());
  return bytes;
}

UuidText NameHash::uuid(std::string_view node, std::string_view position, std::uint32_t index) {
  return write(hash(node, position, index), 8);
}

KeyHash NameHash::key(std::string_view first, std::string_view second) {
  const auto bytes = hash(first, second, ~std::uint64_t{0});
  KeyHash key;
  std::memcpy(&key.high, bytes.data(), 8);
  std::memcpy(&key.low, bytes.data() + 8, 8);
  return key;
}

}  // namespace sluice
