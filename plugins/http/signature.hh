// Signs requests as the Standard Webhooks say: HMAC-SHA256 over "id.timestamp.body". Its .cc is the only file that
// knows OpenSSL.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace sluice_http {

class Signer {
 public:
  /// `secret`: "whsec_" and base64, or the key as it is. Throws std::invalid_argument when it cannot be one.
  explicit Signer(std::string_view secret);
  Signer(Signer&&) noexcept;
  ~Signer();

  /// Appends the value of the header webhook-signature: "v1," and base64.
  void sign(std::string_view id, std::string_view timestamp, std::string_view body, std::string& out);

 private:
  struct Keyed;
  std::unique_ptr<Keyed> keyed_;
};

}  // namespace sluice_http
