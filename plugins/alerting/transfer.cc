#include "transfer.hh"

#include <curl/curl.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <string_view>

namespace alerting {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr std::int64_t kRetryAfterSecondsMax = 3600;

std::size_t keep(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& text = *static_cast<std::string*>(to);
  text.append(bytes, std::min(size * count, kAnswerBytesMax - std::min(kAnswerBytesMax, text.size())));
  return size * count;
}

/// The last reply that says no: behind it the talk goes on to its end ("221 Bye").
std::string refusal_in(std::string_view replies) {
  std::string_view found;
  while (!replies.empty()) {
    const std::string_view line = replies.substr(0, replies.find_first_of("\r\n"));
    replies.remove_prefix(std::min(line.size() + 1, replies.size()));
    if (line.starts_with('4') || line.starts_with('5')) found = line;
  }
  return std::string(found);
}

void add_part(curl_mime* to, const std::string& content, const char* type) {
  curl_mimepart* part = curl_mime_addpart(to);
  curl_mime_data(part, content.data(), content.size());
  curl_mime_type(part, type);
  curl_mime_encoder(part, "quoted-printable");
}

/// Text first, HTML last: who reads mail takes the last that he understands (RFC 2046).
curl_mime* alternatives(CURL* easy, const std::string& text, const std::string& html) {
  curl_mime* inner = curl_mime_init(easy);
  add_part(inner, text, "text/plain; charset=utf-8");
  add_part(inner, html, "text/html; charset=utf-8");
  curl_mime* whole = curl_mime_init(easy);
  curl_mimepart* part = curl_mime_addpart(whole);
  curl_mime_subparts(part, inner);
  curl_mime_type(part, "multipart/alternative");
  curl_slist* inline_header = curl_slist_append(nullptr, "Content-Disposition: inline");
  curl_mime_headers(part, inline_header, 1);
  return whole;
}

}  // namespace

struct Transfer::Curl {
  explicit Curl(TransferOptions given) : options(std::move(given)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    easy = curl_easy_init();
  }
  ~Curl() { curl_easy_cleanup(easy); }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  static int progress(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return static_cast<Curl*>(self)->cancelled.load(std::memory_order_acquire) ? 1 : 0;
  }
  /// curl_easy_reset keeps the connections.
  void prepare(const std::string& url) {
    curl_easy_reset(easy);
    curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, &Curl::progress);
    curl_easy_setopt(easy, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, options.verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, options.verify ? 2L : 0L);
    if (!options.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options.ca_file.c_str());
    curl_easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  }
  [[nodiscard]] long number(CURLINFO what) const {
    long value = 0;
    curl_easy_getinfo(easy, what, &value);
    return value;
  }

  const TransferOptions options;
  CURL* easy = nullptr;
  std::atomic<bool> cancelled{false};
};

Transfer::Transfer(TransferOptions options) : curl_(std::make_unique<Curl>(std::move(options))) {}
Transfer::~Transfer() = default;

void Transfer::cancel() noexcept { curl_->cancelled.store(true, std::memory_order_release); }

HttpAnswer Transfer::post(const std::string& url, const std::vector<std::string>& headers, const std::string& body) {
  HttpAnswer answer;
  curl_->prepare(url);
  CURL* easy = curl_->easy;
  curl_slist* list = nullptr;
  for (const std::string& line : headers) list = curl_slist_append(list, line.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
#if LIBCURL_VERSION_NUM >= 0x075500
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
#endif
  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, body.data());
  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &keep);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, &answer.body);
  const CURLcode code = curl_easy_perform(easy);
  if (code == CURLE_OK) {
    answer.status = static_cast<int>(curl_->number(CURLINFO_RESPONSE_CODE));
    curl_off_t seconds = 0;
    curl_easy_getinfo(easy, CURLINFO_RETRY_AFTER, &seconds);
    answer.retry_after_ms = std::min<std::int64_t>(seconds, kRetryAfterSecondsMax) * 1000;
  } else {
    answer.error = curl_easy_strerror(code);
    answer.timed_out = code == CURLE_OPERATION_TIMEDOUT;
  }
  curl_slist_free_all(list);
  return answer;
}

SmtpAnswer Transfer::mail(const SmtpRequest& request) {
  SmtpAnswer answer;
  curl_->prepare(request.url + "/" + request.helo);
  CURL* easy = curl_->easy;
  curl_slist* to = curl_slist_append(nullptr, ("<" + request.to + ">").c_str());
  std::string replies;
  const long tls = request.require_tls ? CURLUSESSL_ALL : request.try_tls ? CURLUSESSL_TRY : CURLUSESSL_NONE;
  curl_easy_setopt(easy, CURLOPT_USE_SSL, tls);
  if (!request.user.empty()) {
    curl_easy_setopt(easy, CURLOPT_USERNAME, request.user.c_str());
    curl_easy_setopt(easy, CURLOPT_PASSWORD, request.password.c_str());
    const std::string options = "AUTH=" + request.auth;
    if (!request.auth.empty()) curl_easy_setopt(easy, CURLOPT_LOGIN_OPTIONS, options.c_str());
  }
  curl_easy_setopt(easy, CURLOPT_MAIL_FROM, ("<" + request.from + ">").c_str());
  curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
  curl_slist* headers = nullptr;
  for (const std::string& line : request.headers) headers = curl_slist_append(headers, line.c_str());
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
  curl_mime* mime = alternatives(easy, request.text, request.html);
  curl_easy_setopt(easy, CURLOPT_MIMEPOST, mime);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, &keep);  // the server's replies
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, &replies);
  const CURLcode code = curl_easy_perform(easy);
  answer.sent = code == CURLE_OK;
  if (!answer.sent) {
    answer.code = static_cast<int>(curl_->number(CURLINFO_RESPONSE_CODE));
    answer.error = curl_easy_strerror(code);
    answer.timed_out = code == CURLE_OPERATION_TIMEDOUT;
    answer.bad_login = code == CURLE_LOGIN_DENIED;
    answer.bad_tls = code == CURLE_USE_SSL_FAILED || code == CURLE_PEER_FAILED_VERIFICATION;
    answer.reply = refusal_in(replies);
  }
  curl_easy_setopt(easy, CURLOPT_MIMEPOST, nullptr);
  curl_mime_free(mime);
  curl_slist_free_all(headers);
  curl_slist_free_all(to);
  return answer;
}

}  // namespace alerting
