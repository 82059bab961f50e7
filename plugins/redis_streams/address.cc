#include "address.hh"

#include <sluice/cpp/guard.hh>

#include <charconv>

namespace redis_streams {
namespace {

using sluice::BadConfig;

int hex(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string decoded(std::string_view text, const char* what) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
    if (high < 0 || low < 0) throw BadConfig(std::string("url: '%' in the ") + what + " must be written %25");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

template <class Number>
Number number(std::string_view text, const char* what) {
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) {
    throw BadConfig(std::string("url: ") + what + " must be a number, got '" + std::string(text) + "'");
  }
  return value;
}

/// What stands behind '?': db=N, and for a socket also password=…, as redis-py takes them.
void read_query(std::string_view query, Address& address) {
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view part = query.substr(0, end);
    query = end == std::string_view::npos ? "" : query.substr(end + 1);
    const std::size_t equals = part.find('=');
    const std::string_view name = part.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    if (name == "db")
      address.database = number<std::uint32_t>(value, "db");
    else if (name == "password")
      address.password = decoded(value, "password");
    else if (name == "username")
      address.user = decoded(value, "user");
    else
      throw BadConfig("url: unknown parameter '" + std::string(name) + "': known are db, username, password");
  }
}

/// Takes "user:password@" off the front.
void read_credentials(std::string_view& rest, Address& address) {
  const std::size_t at = rest.rfind('@');
  if (at == std::string_view::npos) return;
  const std::string_view credentials = rest.substr(0, at);
  rest.remove_prefix(at + 1);
  const std::size_t colon = credentials.find(':');
  address.user = decoded(credentials.substr(0, colon), "user");
  if (colon != std::string_view::npos) address.password = decoded(credentials.substr(colon + 1), "password");
}

void read_host(std::string_view authority, Address& address) {
  std::string_view host = authority, port;
  if (authority.starts_with('[')) {  // an IPv6 address
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) throw BadConfig("url: ']' is missing behind the IPv6 address");
    host = authority.substr(1, end - 1);
    port = authority.substr(end + 1);
    if (!port.empty() && port.front() != ':') throw BadConfig("url: expected ':' and a port behind ']'");
    if (!port.empty()) port.remove_prefix(1);
  } else if (const std::size_t colon = authority.rfind(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    port = authority.substr(colon + 1);
  }
  if (host.empty()) throw BadConfig("url: a host is missing: expected redis://host:port/db");
  address.host = std::string(host);
  if (!port.empty()) address.port = number<std::uint16_t>(port, "the port");
  if (address.port == 0) throw BadConfig("url: port 0 cannot be connected to");
}

}  // namespace

std::string Address::shown() const {
  if (!path.empty()) return "unix://" + path;
  const bool v6 = host.find(':') != std::string::npos;
  return (tls ? "rediss://" : "redis://") + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + "/" +
         std::to_string(database);
}

Address parse_address(std::string_view url) {
  Address address;
  const std::size_t scheme_end = url.find("://");
  const std::string_view scheme = url.substr(0, scheme_end == std::string_view::npos ? 0 : scheme_end);
  if (scheme != "redis" && scheme != "rediss" && scheme != "unix") {
    throw BadConfig("url: expected redis://host:port/db, rediss:// or unix:///path");
  }
  address.tls = scheme == "rediss";
  std::string_view rest = url.substr(scheme_end + 3);
  if (const std::size_t query = rest.find('?'); query != std::string_view::npos) {
    read_query(rest.substr(query + 1), address);
    rest = rest.substr(0, query);
  }
  if (scheme == "unix") {
    if (!rest.starts_with('/')) read_credentials(rest, address);
    if (!rest.starts_with('/')) throw BadConfig("url: expected unix:///path/to/socket");
    address.path = decoded(rest, "path");
    return address;
  }
  read_credentials(rest, address);
  const std::size_t slash = rest.find('/');
  read_host(rest.substr(0, slash), address);
  if (slash != std::string_view::npos && slash + 1 < rest.size()) {
    address.database = number<std::uint32_t>(rest.substr(slash + 1), "the database behind '/'");
  }
  return address;
}

Address parse_authority(std::string_view text, std::uint16_t default_port) {
  Address address;
  address.port = default_port;
  read_host(text, address);
  return address;
}

}  // namespace redis_streams
