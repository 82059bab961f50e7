#include "answer.hh"

#include <sluice/cpp/text.hh>
#include <sluice/cpp/utf8.hh>

namespace sluice_http {
namespace {

void append_control(std::string& out, unsigned char byte) {
  constexpr char hex[] = "0123456789abcdef";
  out += "\\u00";
  out += hex[byte >> 4];
  out += hex[byte & 15];
}

Answer accepted(std::string_view outcome) {
  Answer made;
  made.status = 202;
  made.body.append(R"({"outcome":")").append(outcome).append("\"}");
  return made;
}

Answer rejected(const sluice_settlement& settlement, std::string_view reason) {
  if (settlement.code == SLUICE_CODE_UNDECODABLE) return refusal(400, "undecodable", reason);
  if (settlement.code == SLUICE_CODE_TOO_LARGE) return refusal(413, "too_large", reason);
  // The event is well formed, but a consumer or a backend will never take it. A backend's own code (a 404 of its far
  // side) would say something wrong about this server.
  return refusal(422, "rejected", reason);
}

Answer not_delivered(const sluice_settlement& settlement, std::string_view reason, std::uint32_t retry_after_s) {
  if (settlement.code == SLUICE_CODE_FULL) return later(503, "full", reason, retry_after_s);
  if (settlement.code == SLUICE_CODE_STOPPING) {
    Answer made = later(503, "stopping", reason, retry_after_s);
    made.close = true;
    return made;
  }
  return later(503, "not_delivered", reason.empty() ? "no backend took the event" : reason, retry_after_s);
}

}  // namespace

void append_json(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const auto first = static_cast<unsigned char>(text[0]);
    std::uint32_t code = 0;
    std::size_t length = sluice::utf8_length(text, 0, code);
    if (first == '"' || first == '\\') {
      out += '\\';
      out += text[0];
    } else if (first < 0x20 || first == 0x7F) {
      append_control(out, first);
    } else if (length == 0) {
      out += "\xEF\xBF\xBD";
      length = 1;
    } else {
      out.append(text.substr(0, length));
    }
    text.remove_prefix(length);
  }
  out += '"';
}

Answer refusal(unsigned status, std::string_view error, std::string_view reason) {
  Answer made;
  made.status = status;
  made.body = R"({"error":)";
  append_json(made.body, error);
  made.body += R"(,"reason":)";
  append_json(made.body, reason);
  made.body += '}';
  return made;
}

Answer later(unsigned status, std::string_view error, std::string_view reason, std::uint32_t retry_after_s) {
  Answer made = refusal(status, error, reason);
  made.retry_after_s = retry_after_s == 0 ? 1 : retry_after_s;
  return made;
}

Answer answer_to(const sluice_settlement& settlement, std::uint32_t retry_after_s) {
  const std::string_view reason = sluice::view(settlement.reason);
  // A halt is told as such whatever the outcome was: the caller must stop sending, not try again.
  if (settlement.code == SLUICE_CODE_HALTED) return refusal(409, "halted", reason);
  switch (settlement.outcome) {
    case SLUICE_WAS_DELIVERED:
      return accepted("delivered");
    case SLUICE_WAS_DROPPED:
      return accepted("dropped");
    case SLUICE_WAS_REJECTED:
      return rejected(settlement, reason);
    default:
      return not_delivered(settlement, reason, retry_after_s);
  }
}

}  // namespace sluice_http
