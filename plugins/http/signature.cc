#include "signature.hh"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <stdexcept>
#include <vector>

namespace sluice_http {
namespace {

std::vector<unsigned char> key_of(std::string_view secret) {
  constexpr std::string_view prefix = "whsec_";
  if (secret.substr(0, prefix.size()) != prefix) return {secret.begin(), secret.end()};
  const std::string_view text = secret.substr(prefix.size());
  std::vector<unsigned char> key(text.size() / 4 * 3 + 1);
  const int length =
      EVP_DecodeBlock(key.data(), reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  const std::size_t padding = text.size() - std::min(text.find('='), text.size());
  if (length <= 0 || padding > 2) throw std::invalid_argument("after whsec_ there must be base64");
  key.resize(static_cast<std::size_t>(length) - padding);
  return key;
}

}  // namespace

struct Signer::Keyed {
  explicit Keyed(const std::vector<unsigned char>& key) : mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr)) {
    context = mac == nullptr ? nullptr : EVP_MAC_CTX_new(mac);
    char digest[] = "SHA256";
    const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                     OSSL_PARAM_construct_end()};
    if (context == nullptr || EVP_MAC_init(context, key.data(), key.size(), parameters) != 1) {
      release();
      throw std::invalid_argument("OpenSSL offers no HMAC-SHA256");
    }
  }
  Keyed(const Keyed&) = delete;
  Keyed& operator=(const Keyed&) = delete;
  ~Keyed() { release(); }
  void release() noexcept {
    EVP_MAC_CTX_free(context);
    EVP_MAC_free(mac);
  }
  void add(std::string_view text) noexcept {
    EVP_MAC_update(context, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }

  EVP_MAC* mac;
  EVP_MAC_CTX* context = nullptr;
};

Signer::Signer(std::string_view secret) : keyed_(std::make_unique<Keyed>(key_of(secret))) {}
Signer::Signer(Signer&&) noexcept = default;
Signer::~Signer() = default;

void Signer::sign(std::string_view id, std::string_view timestamp, std::string_view body, std::string& out) {
  EVP_MAC_init(keyed_->context, nullptr, 0, nullptr);  // from the start again, with the key it has
  for (const std::string_view part : {id, std::string_view("."), timestamp, std::string_view("."), body}) {
    keyed_->add(part);
  }
  std::array<unsigned char, 32> digest{};
  std::size_t length = 0;
  EVP_MAC_final(keyed_->context, digest.data(), &length, digest.size());
  std::array<unsigned char, 48> text{};
  const int written = EVP_EncodeBlock(text.data(), digest.data(), static_cast<int>(length));
  out.append("v1,").append(reinterpret_cast<const char*>(text.data()), static_cast<std::size_t>(written));
}

}  // namespace sluice_http
