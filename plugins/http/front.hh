// The front: what is decided about a request from its head alone, before a byte of its body is looked at: path, method,
// token, origin, handshake, content mode. Pure: heads in, answers out.
#pragma once

#include "answer.hh"
#include "handshake.hh"

#include <sluice/cpp/http_binding.hh>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sluice_http {

struct Header {
  std::string_view name, value;
};

/// A request's head as it came. Views into the connection's memory.
struct RequestHead {
  std::string_view method, target;
  std::vector<Header> headers;

  /// The first header of that name; empty when there is none.
  [[nodiscard]] std::string_view header(std::string_view name) const noexcept;
};

struct FrontOptions {
  std::string path = "/events";
  std::string token;
  bool any_content = false;  // bodies of no CloudEvents mode go on as they are
  bool require_origin = false;
  Consent consent;
};

class Front {
 public:
  explicit Front(FrontOptions options) : options_(std::move(options)) {}

  /// The answer, when the head alone decides; nothing when the body shall come.
  [[nodiscard]] std::optional<Answer> screen(const RequestHead& head) const;

  /// How the body is to be read, as sluice_record.flags; in binary mode the attributes go to `attributes`.
  /// Requires: screen() let the head pass. Returns the refusal when the headers hold no event.
  [[nodiscard]] std::optional<Answer> read_mode(const RequestHead& head, std::uint32_t& flags,
                                                sluice::http_binding::BinaryHeaders& attributes) const;

  [[nodiscard]] const FrontOptions& options() const noexcept { return options_; }

 private:
  [[nodiscard]] bool authorised(const RequestHead& head) const;
  FrontOptions options_;
};

}  // namespace sluice_http
