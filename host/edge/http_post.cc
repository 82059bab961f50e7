// The only file of the host that knows libcurl. It is loaded when something is sent, not linked: with what it brings it
// is a quarter of an idle host's memory, and a run has no use for it.
#include "edge/http_post.hh"

#include "core/setup_error.hh"

#define CURL_DISABLE_TYPECHECK  // its macros would call the functions by name
#include <curl/curl.h>
#include <dlfcn.h>

#include <algorithm>
#include <memory>

namespace sluice {
namespace {

constexpr std::size_t kAnswerBytes = 64 * 1024;

/// The calls that are needed, from the library's own name for its ABI.
class Library {
 public:
  Library() { global_init(CURL_GLOBAL_DEFAULT); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library() { global_cleanup(); }  // it stays loaded: the process ends soon

 private:
  template <class Function>
  [[nodiscard]] Function find(const char* name) const {
    void* found = ::dlsym(handle_, name);
    if (found == nullptr) throw SetupError(std::string("libcurl has no ") + name, kUsage);
    return reinterpret_cast<Function>(found);
  }
  [[nodiscard]] static void* open() {
    void* handle = ::dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);
    if (handle == nullptr) throw SetupError("sending needs libcurl (libcurl.so.4), which cannot be loaded", kUsage);
    return handle;
  }
  void* const handle_ = open();

 public:
  const decltype(&curl_global_init) global_init = find<decltype(&curl_global_init)>("curl_global_init");
  const decltype(&curl_global_cleanup) global_cleanup = find<decltype(&curl_global_cleanup)>("curl_global_cleanup");
  const decltype(&curl_easy_init) init = find<decltype(&curl_easy_init)>("curl_easy_init");
  const decltype(&curl_easy_cleanup) cleanup = find<decltype(&curl_easy_cleanup)>("curl_easy_cleanup");
  const decltype(&curl_easy_setopt) set = find<decltype(&curl_easy_setopt)>("curl_easy_setopt");
  const decltype(&curl_easy_getinfo) get = find<decltype(&curl_easy_getinfo)>("curl_easy_getinfo");
  const decltype(&curl_easy_perform) perform = find<decltype(&curl_easy_perform)>("curl_easy_perform");
  const decltype(&curl_easy_strerror) error_text = find<decltype(&curl_easy_strerror)>("curl_easy_strerror");
  const decltype(&curl_slist_append) append = find<decltype(&curl_slist_append)>("curl_slist_append");
  const decltype(&curl_slist_free_all) free_all = find<decltype(&curl_slist_free_all)>("curl_slist_free_all");
};

std::size_t keep(char* bytes, std::size_t, std::size_t count, void* into) {
  auto& body = *static_cast<std::string*>(into);
  body.append(bytes, std::min(count, kAnswerBytes - std::min(kAnswerBytes, body.size())));
  return count;
}

}  // namespace

HttpAnswer http_post(const HttpPost& post) {
  const Library library;
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(library.init(), library.cleanup);
  if (curl == nullptr) return {HttpAnswer::Kind::unreachable, 0, {}, "out of memory"};
  curl_slist* headers = nullptr;
  for (const std::string& header : post.headers) headers = library.append(headers, header.c_str());
  headers = library.append(headers, "Expect:");  // no round trip to be allowed to send
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> owned(headers, library.free_all);

  HttpAnswer answer;
  char error[CURL_ERROR_SIZE] = "";
  library.set(curl.get(), CURLOPT_URL, post.url.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  library.set(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
#else
  library.set(curl.get(), CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
  library.set(curl.get(), CURLOPT_HTTPHEADER, headers);
  library.set(curl.get(), CURLOPT_POSTFIELDS, post.body.data());
  library.set(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(post.body.size()));
  if (!post.user.empty()) {
    library.set(curl.get(), CURLOPT_HTTPAUTH, static_cast<long>(CURLAUTH_BASIC));
    library.set(curl.get(), CURLOPT_USERNAME, post.user.c_str());
    library.set(curl.get(), CURLOPT_PASSWORD, post.password.c_str());
  }
  if (!post.ca_file.empty()) library.set(curl.get(), CURLOPT_CAINFO, post.ca_file.c_str());
  library.set(curl.get(), CURLOPT_TIMEOUT, static_cast<long>(post.timeout.count()));
  library.set(curl.get(), CURLOPT_NOSIGNAL, 1L);
  library.set(curl.get(), CURLOPT_USERAGENT, "sluice");
  library.set(curl.get(), CURLOPT_WRITEFUNCTION, &keep);
  library.set(curl.get(), CURLOPT_WRITEDATA, &answer.body);
  library.set(curl.get(), CURLOPT_ERRORBUFFER, error);
  const CURLcode code = library.perform(curl.get());
  if (code == CURLE_OK) {
    answer.kind = HttpAnswer::Kind::answered;
    library.get(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    return answer;
  }
  answer.error = error[0] == '\0' ? library.error_text(code) : error;
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) answer.kind = HttpAnswer::Kind::wrong_url;
  return answer;
}

}  // namespace sluice
