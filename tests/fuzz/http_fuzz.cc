// Arbitrary bytes as a request's head and as a far side's answer: the HTTP front, the handshake, the desk's answers,
// the judgement of replies. Nothing may crash; what is refused is refused with a 4xx, and every answer is valid JSON
// text. The pure files are compiled in here, so that the fuzzer sees their branches.
#include "../../plugins/http/front.hh"
#include "../../plugins/http/reply.hh"

#include <sluice/cpp/utf8.hh>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

/// Cuts the next line off.
std::string_view line(std::string_view& rest) {
  const std::string_view first = rest.substr(0, rest.find('\n'));
  rest.remove_prefix(std::min(rest.size(), first.size() + 1));
  return first;
}

/// A JSON text without control characters and with closed quotes, as far as a glance can tell.
void demand_json(const std::string& body) {
  if (body.empty()) return;
  demand(body.front() == '{' && body.back() == '}' && sluice::valid_utf8(body));
  bool quoted = false;
  for (std::size_t i = 0; i < body.size(); ++i) {
    demand(static_cast<unsigned char>(body[i]) >= 0x20);
    if (quoted && body[i] == '\\') {
      ++i;
    } else if (body[i] == '"') {
      quoted = !quoted;
    }
  }
  demand(!quoted);
}

void try_front(const sluice_http::RequestHead& head, const sluice_http::FrontOptions& options) {
  const sluice_http::Front front(options);
  if (const auto answer = front.screen(head)) {
    demand(answer->status == 200 || (answer->status >= 400 && answer->status < 500));
    demand(answer->status != 200 || head.method == "OPTIONS");
    demand_json(answer->body);
    return;
  }
  demand(head.method == "POST" || head.method == "PUT");
  std::uint32_t flags = 0;
  sluice::http_binding::BinaryHeaders attributes;
  if (const auto answer = front.read_mode(head, flags, attributes)) {
    demand(answer->status == 400);
    demand_json(answer->body);
    return;
  }
  demand(flags == 0 || flags == SLUICE_SINGLE || flags == SLUICE_BATCHED || flags == SLUICE_ATTRIBUTES);
  demand(flags == SLUICE_ATTRIBUTES || attributes.attributes().empty());
  for (const sluice_attribute& one : attributes.attributes())
    demand(sluice::valid_utf8(sluice::view(one.value)) || sluice::view(one.name) == "datacontenttype");
}

void try_reply(const sluice_http::RequestHead& head, std::string_view body) {
  sluice_http::Reply reply;
  reply.status = static_cast<std::int32_t>(head.target.size() * 7 % 700);
  reply.retry_after = head.header("retry-after");
  reply.date = head.header("date");
  reply.body = body;
  const auto made = judge(reply, 1'772'352'000);
  demand((made.status == SLUICE_OK) == sluice_http::delivered(reply));
  demand(made.retry_after.count() >= 0 && made.retry_after <= std::chrono::hours(24));
  demand(made.reason.size() < 400);
  for (const char c : made.reason) demand(c >= 0x20 && c < 0x7F);
  (void)sluice_http::judge_consent("a.example", 60, head.header("webhook-allowed-origin"),
                                   head.header("webhook-allowed-rate"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(bytes), size);
  sluice_http::RequestHead head;
  head.method = line(rest);
  head.target = line(rest);
  while (head.headers.size() < 100 && !rest.empty()) {
    const std::string_view text = line(rest);
    if (text.empty()) break;
    const std::size_t colon = std::min(text.find(':'), text.size());
    head.headers.push_back({text.substr(0, colon), text.substr(std::min(text.size(), colon + 1))});
  }
  sluice_http::FrontOptions options;
  try_front(head, options);
  options.any_content = true;
  options.token = "tok%en";
  options.require_origin = true;
  options.consent = {{"a.example", "b.example"}, 60, false};
  try_front(head, options);
  try_reply(head, rest);
  return 0;
}
