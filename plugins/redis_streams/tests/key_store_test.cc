// The store of keys that hosts share, against a real server.
#include "driver.hh"

#include <sluice/ext/key_store.h>

using namespace redis_test;

namespace {

const sluice_key_store& store_of(const sluice_class& one) {
  const auto* store = static_cast<const sluice_key_store*>(one.extension(&one, SLUICE_KEY_STORE));
  REQUIRE(store != nullptr);
  return *store;
}

class Store {
 public:
  explicit Store(const std::string& config) : driver(config), node_(driver.node.raw()) {}

  sluice_status record(const std::vector<std::string>& keys, std::uint64_t ttl_ms) {
    const auto texts = views(keys);
    return store_.record(node_, texts.data(), static_cast<std::uint32_t>(texts.size()), ttl_ms, 2000, &error_);
  }
  /// "10" for two keys of which the first is there; the error's text when it cannot be said.
  std::string lookup(const std::vector<std::string>& keys) {
    const auto texts = views(keys);
    std::vector<std::uint8_t> present(keys.size());
    const sluice_status status =
        store_.lookup(node_, texts.data(), static_cast<std::uint32_t>(texts.size()), present.data(), 2000, &error_);
    if (status != SLUICE_OK) return (status == SLUICE_AWAY ? "away: " : "failed: ") + std::string(text_, error_.len);
    std::string all;
    for (const std::uint8_t one : present) all += static_cast<char>('0' + one);
    return all;
  }
  /// "10": of two keys the first is another's.
  std::string claim(const std::vector<std::string>& keys, const std::vector<std::string>& owners,
                    std::uint64_t ttl_ms = 60'000) {
    const auto names = views(keys), whose = views(owners);
    std::vector<std::uint8_t> taken(keys.size());
    const auto count = static_cast<std::uint32_t>(names.size());
    if (store_.claim(node_, names.data(), whose.data(), count, ttl_ms, taken.data(), 2000, &error_) != SLUICE_OK) {
      return std::string(text_, error_.len);
    }
    std::string all;
    for (const std::uint8_t one : taken) all += static_cast<char>('0' + one);
    return all;
  }
  sluice_status release(const std::vector<std::string>& keys, const std::vector<std::string>& owners) {
    const auto names = views(keys), whose = views(owners);
    const auto count = static_cast<std::uint32_t>(names.size());
    return store_.release(node_, names.data(), whose.data(), count, 2000, &error_);
  }
  Driver driver;

 private:
  static std::vector<sluice_str> views(const std::vector<std::string>& keys) {
    std::vector<sluice_str> all;
    for (const std::string& key : keys) all.push_back(sluice::str(key));
    return all;
  }
  sluice_node* node_;
  const sluice_key_store& store_ = store_of(backend_class());
  char text_[1024];
  sluice_error error_{sizeof(sluice_error), sizeof text_, 0, 0, text_};
};

}  // namespace

TEST_CASE("redis_streams key store: what was recorded is known to every host, until its time is over",
          "[redis][live]") {
  RedisServer server;
  Store one(config(server.url())), two(config(server.url()));
  CHECK(one.lookup({"a", "b"}) == "00");
  CHECK(one.record({"a", std::string("with\0zero", 9)}, 60'000) == SLUICE_OK);
  CHECK(two.lookup({"a", "b", std::string("with\0zero", 9)}) == "101");
  CHECK(server.ask({"EXISTS", "sluice:dedup:a"}) == "1");
  const auto left = std::stoll(server.ask({"PTTL", "sluice:dedup:a"}));
  CHECK(left > 50'000);
  CHECK(left <= 60'000);
  CHECK(one.record({"short"}, 20) == SLUICE_OK);
  for (int i = 0; i < 1000 && two.lookup({"short"}) == "1"; ++i) ::poll(nullptr, 0, 10);
  CHECK(two.lookup({"short"}) == "0");
  CHECK(one.record({"for ever"}, 0) == SLUICE_OK);
  CHECK(server.ask({"PTTL", "sluice:dedup:for ever"}) == "-1");
  CHECK(one.lookup({}) == "");
}

TEST_CASE("redis_streams key store: prefixes keep stores apart", "[redis][live]") {
  RedisServer server;
  Store one(config(server.url(), R"("key_prefix":"one:")")), two(config(server.url(), R"("key_prefix":"two:")"));
  CHECK(one.record({"a"}, 60'000) == SLUICE_OK);
  CHECK(one.lookup({"a"}) == "1");
  CHECK(two.lookup({"a"}) == "0");
}

TEST_CASE("redis_streams key store: many keys are one round", "[redis][live]") {
  RedisServer server;
  Store store(config(server.url()));
  std::vector<std::string> keys;
  for (int i = 0; i < 2000; ++i) keys.push_back("key-" + std::to_string(i));
  CHECK(store.record(keys, 60'000) == SLUICE_OK);
  CHECK(store.lookup(keys) == std::string(2000, '1'));
}

TEST_CASE("redis_streams key store: a server that goes away is away, and asked again it answers", "[redis][live]") {
  RedisServer server({"--appendonly", "yes", "--appendfsync", "always"});
  Store store(config(server.url()));
  CHECK(store.record({"a"}, 60'000) == SLUICE_OK);
  server.kill(SIGKILL);
  CHECK(store.lookup({"a"}).rfind("away: ", 0) == 0);
  CHECK(store.record({"b"}, 60'000) == SLUICE_AWAY);
  server.start();
  CHECK(store.lookup({"a", "b"}) == "10");
}

TEST_CASE("redis_streams key store: a claim is one owner's, on whatever host, until it is ended or its time is over",
          "[redis][live]") {
  RedisServer server;
  Store one(config(server.url())), two(config(server.url()));
  CHECK(one.claim({"j", "k"}, {"a", "a"}) == "00");
  CHECK(two.claim({"j", "l"}, {"b", "b"}) == "10");
  CHECK(two.claim({"j", "l", "l"}, {"a", "b", "c"}) == "001");
  CHECK(two.release({"j", "k"}, {"b", "b"}) == SLUICE_OK);  // not its own
  CHECK(two.claim({"j"}, {"b"}) == "1");
  CHECK(one.release({"j"}, {"a"}) == SLUICE_OK);
  CHECK(two.claim({"j"}, {"b"}) == "0");
  CHECK(one.lookup({"j"}) == "0");  // claimed is not recorded
  CHECK(one.claim({"short"}, {"a"}, 20) == "0");
  for (int i = 0; i < 1000 && two.claim({"short"}, {"b"}, 60'000) == "1"; ++i) ::poll(nullptr, 0, 10);
  CHECK(one.claim({"short"}, {"a"}) == "1");
  CHECK(one.claim({"ever"}, {"a"}, 0) == "0");
  CHECK(server.ask({"PTTL", "sluice:dedup:claim:ever"}) == "-1");
}
