// Where a request goes: what stands in its URL, by the parser that will send to it (two opinions of one URL are how
// secrets leak), and whether a proxy may be in between.
#pragma once

#include <string>

namespace sluice_http {

/// What stands in a URL, as far as others need it.
struct Target {
  std::string problem;  // not empty: it is no http(s) URL, and why
  std::string shown;    // without credentials and query: fit for logs
  bool token_in_query = false;
};
[[nodiscard]] Target inspect_url(const std::string& url);

/// Whether any variable could name a proxy (http_proxy, ALL_PROXY, …). libcurl asks for five of them at each request.
[[nodiscard]] bool environment_names_proxy();

}  // namespace sluice_http
