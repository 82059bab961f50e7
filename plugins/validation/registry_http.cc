#include "registry_http.hh"

#include <sluice/cpp/guard.hh>

#include <curl/curl.h>

#include <atomic>
#include <mutex>

namespace validation {
namespace {

constexpr std::size_t kReplyBytesMax = 8 * 1024 * 1024;  // a schema of 1 MiB, escaped
constexpr long kRedirectsMax = 3;
constexpr int kPollMs = 1000;

std::size_t keep(char* bytes, std::size_t size, std::size_t count, void* to) {
  auto& text = *static_cast<std::string*>(to);
  if (text.size() + size * count > kReplyBytesMax) return 0;  // libcurl ends the transfer
  text.append(bytes, size * count);
  return size * count;
}

}  // namespace

struct RegistryHttp::Curl {
  explicit Curl(RegistryAccess given) : access(std::move(given)) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
    multi = curl_multi_init();
    easy = curl_easy_init();
    headers = curl_slist_append(nullptr, "Accept: application/vnd.schemaregistry.v1+json, application/json");
  }
  ~Curl() {
    curl_easy_cleanup(easy);
    curl_multi_cleanup(multi);
    curl_slist_free_all(headers);
  }
  Curl(const Curl&) = delete;
  Curl& operator=(const Curl&) = delete;

  void prepare(const std::string& path, std::chrono::milliseconds within, HttpReply& reply) {
    curl_easy_reset(easy);  // keeps the connections
    curl_easy_setopt(easy, CURLOPT_URL, (access.url + path).c_str());
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(within.count()));
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXREDIRS, kRedirectsMax);
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, &keep);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &reply.body);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, access.verify ? 1L : 0L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, access.verify ? 2L : 0L);
    if (!access.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, access.ca_file.c_str());
    const bool is_safe = access.url.starts_with("https:");
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, is_safe ? "https" : "http,https");
#else
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS,
                     static_cast<long>(is_safe ? CURLPROTO_HTTPS : CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
    // libcurl sends neither to another host that it is redirected to.
    if (access.token.given()) {
      curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BEARER));
      curl_easy_setopt(easy, CURLOPT_XOAUTH2_BEARER, access.token.value().c_str());
    } else if (!access.username.empty()) {
      curl_easy_setopt(easy, CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
      curl_easy_setopt(easy, CURLOPT_USERNAME, access.username.c_str());
      curl_easy_setopt(easy, CURLOPT_PASSWORD, access.password.given() ? access.password.value().c_str() : "");
    }
  }

  /// Through a multi handle, because that can be woken.
  [[nodiscard]] CURLcode perform() {
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    curl_multi_add_handle(multi, easy);
    for (int running = 1; running > 0 && !cancelled.load(std::memory_order_acquire);) {
      if (curl_multi_perform(multi, &running) != CURLM_OK) break;
      if (running > 0) curl_multi_poll(multi, nullptr, 0, kPollMs, nullptr);
    }
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg == CURLMSG_DONE) code = message->data.result;
    }
    curl_multi_remove_handle(multi, easy);
    return code;
  }

  const RegistryAccess access;
  CURLM* multi = nullptr;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;
  std::atomic<bool> cancelled{false};
};

RegistryHttp::RegistryHttp(RegistryAccess access) : curl_(std::make_unique<Curl>(std::move(access))) {}
RegistryHttp::~RegistryHttp() = default;

void RegistryHttp::cancel() noexcept {
  curl_->cancelled.store(true, std::memory_order_release);
  curl_multi_wakeup(curl_->multi);
}

HttpReply RegistryHttp::get(const std::string& path, std::chrono::milliseconds within) {
  HttpReply reply;
  try {
    curl_->prepare(path, within, reply);
  } catch (const sluice::Away& why) {
    reply.error = why.what();
    return reply;
  }
  const CURLcode code = curl_->perform();
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(curl_->easy, CURLINFO_RESPONSE_CODE, &status);
    reply.status = static_cast<int>(status);
  } else if (code == CURLE_WRITE_ERROR) {
    reply.error = "its answer is larger than 8 MiB";
  } else {
    reply.error = curl_easy_strerror(code);
    reply.timed_out = code == CURLE_OPERATION_TIMEDOUT;
  }
  return reply;
}

}  // namespace validation
