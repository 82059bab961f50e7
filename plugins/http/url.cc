#include "url.hh"

#include "ascii.hh"

#include <curl/curl.h>

#include <unistd.h>

#include <memory>
#include <new>
#include <string_view>

namespace sluice_http {
namespace {

using ParsedUrl = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;

ParsedUrl no_url() {
  ParsedUrl made(curl_url(), &curl_url_cleanup);
  if (!made) throw std::bad_alloc();
  return made;
}

std::string url_part(CURLU* url, CURLUPart part) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, 0) != CURLUE_OK) return {};
  std::string made(text);
  curl_free(text);
  return made;
}

}  // namespace

Target inspect_url(const std::string& url) {
  Target made;
  const ParsedUrl parsed = no_url();
  const CURLUcode bad = curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME);
  if (bad != CURLUE_OK) {
    made.problem = std::string("not a URL (") + curl_url_strerror(bad) + "); write https://host/path";
    return made;
  }
  const std::string scheme = url_part(parsed.get(), CURLUPART_SCHEME);
  const std::string host = url_part(parsed.get(), CURLUPART_HOST);
  const std::string port = url_part(parsed.get(), CURLUPART_PORT);
  if (scheme != "http" && scheme != "https") {
    made.problem = "scheme " + scheme + "://; write http:// or https://";
    return made;
  }
  made.shown = scheme + "://" + host + (port.empty() ? "" : ":" + port) + url_part(parsed.get(), CURLUPART_PATH);
  made.token_in_query = url_part(parsed.get(), CURLUPART_QUERY).find("access_token=") != std::string::npos;
  return made;
}

bool environment_names_proxy() {
  constexpr std::string_view kEnd = "_proxy";
  for (char** one = environ; one != nullptr && *one != nullptr; ++one) {
    const std::string_view line = *one;
    const std::string_view name = line.substr(0, line.find('='));
    if (name.size() > kEnd.size() && same_text(name.substr(name.size() - kEnd.size()), kEnd)) return true;
  }
  return false;
}

}  // namespace sluice_http
