#include "catch.hh"

#include "address.hh"

#include <sluice/cpp/guard.hh>

using redis_streams::Address;
using redis_streams::parse_address;

namespace {

std::string refusal(const std::string& url) {
  try {
    (void)parse_address(url);
  } catch (const sluice::BadConfig& bad) {
    return bad.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("address: the documents' URL", "[redis]") {
  const Address address = parse_address("redis://redis:6379/1");
  CHECK(address.host == "redis");
  CHECK(address.port == 6379);
  CHECK(address.database == 1);
  CHECK(address.user.empty());
  CHECK(address.password.empty());
  CHECK_FALSE(address.tls);
}

TEST_CASE("address: what is left out has the default of the protocol", "[redis]") {
  const Address address = parse_address("redis://127.0.0.1");
  CHECK(address.port == 6379);
  CHECK(address.database == 0);
  CHECK(parse_address("redis://h:7000/").database == 0);
  CHECK(parse_address("redis://h?db=3").database == 3);
}

TEST_CASE("address: user and password, also with special characters", "[redis]") {
  const Address address = parse_address("redis://writer:p%40ss%3A%2F@h:7000/2");
  CHECK(address.user == "writer");
  CHECK(address.password == "p@ss:/");
  CHECK(address.port == 7000);
  CHECK(parse_address("redis://:secret@h").password == "secret");
  CHECK(parse_address("redis://:secret@h").user.empty());
  CHECK(parse_address("redis://:a@b@h").password == "a@b");
}

TEST_CASE("address: IPv6 hosts stand in brackets", "[redis]") {
  const Address address = parse_address("redis://[::1]:7000/4");
  CHECK(address.host == "::1");
  CHECK(address.port == 7000);
  CHECK(address.shown() == "redis://[::1]:7000/4");
  CHECK(parse_address("redis://[::1]").port == 6379);
}

TEST_CASE("address: unix sockets", "[redis]") {
  const Address address = parse_address("unix:///run/redis.sock?db=5&password=x%20y");
  CHECK(address.path == "/run/redis.sock");
  CHECK(address.database == 5);
  CHECK(address.password == "x y");
  CHECK(parse_address("unix://u:p@/run/r.sock").user == "u");
  CHECK(parse_address("unix://u:p@/run/r.sock").path == "/run/r.sock");
}

TEST_CASE("address: shown to people without its secrets", "[redis]") {
  CHECK(parse_address("redis://writer:secret@h:7000/2").shown() == "redis://h:7000/2");
  CHECK(parse_address("rediss://:secret@h").shown() == "rediss://h:6379/0");
  CHECK(parse_address("unix://:secret@/run/r.sock").shown() == "unix:///run/r.sock");
}

TEST_CASE("address: what cannot be understood is refused, without repeating the password", "[redis]") {
  for (const char* url : {"", "h:6379", "http://h", "redis://", "redis://:6379", "redis://h:x", "redis://h:99999",
                          "redis://h:0", "redis://h/one", "redis://h?dbb=1", "redis://[::1", "redis://[::1]x",
                          "redis://a:%zz@h", "unix://run/r.sock", "redis://h/-1", "redis://h?db="}) {
    INFO(url);
    CHECK(refusal(url).rfind("url: ", 0) == 0);
  }
  CHECK(refusal("redis://u:hunter2@h:port").find("hunter2") == std::string::npos);
  CHECK(refusal("redis://u:hunter2%@h").find("hunter2") == std::string::npos);
}
