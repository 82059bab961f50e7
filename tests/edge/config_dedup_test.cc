// `dedup:` of a source and `ordering:` of a backend: what they become, and what is said about one that is wrong.
#include "catch.hh"
#include "core/graph_text.hh"
#include "edge/config_support.hh"

using namespace sluice;
using namespace sluice_tests;

namespace {

Loaded with_dedup(const std::string& dedup) {
  return load_text("sluice: 1\nsources: {in: {class: generate, dedup: " + dedup +
                   "}}\nbackends:\n  out: {class: \"null\", inputs: [in]}\n");
}

Loaded with_ordering(const std::string& ordering) {
  return load_text("sluice: 1\nsources: {in: {class: generate}}\nbackends:\n  out: {class: \"null\", inputs: [in], " +
                   ordering + "}\n");
}

}  // namespace

TEST_CASE("dedup: true means source and id, a day, a million keys, in memory, with a note that a restart forgets") {
  const Loaded loaded = with_dedup("true");
  CHECK(loaded.lines.find("after a restart duplicates are not recognised") != std::string::npos);
  const auto& dedup = loaded.config.nodes[0].dedup;
  REQUIRE(dedup.has_value());
  CHECK(dedup->key.empty());
  CHECK(dedup->ttl == std::chrono::hours(24));
  CHECK(dedup->max_keys == 1'000'000);
  CHECK(dedup->store == DedupPolicy::Store::memory);
  CHECK_FALSE(with_dedup("false").config.nodes[0].dedup.has_value());
}

TEST_CASE("dedup: every key is read, shown by graph, and read again the same") {
  const Loaded loaded =
      with_dedup("{key: [/order/id, /step], ttl: 7d, max_keys: 500, store: {path: \"out/known keys.db\"}}");
  CHECK(loaded.lines.empty());
  const std::string text = graph_as_text(loaded.config);
  CHECK(text.find(
            R"(dedup: {key: ["/order/id", "/step"], ttl: 7d, max_keys: 500, store: {path: "out/known keys.db"}})") !=
        std::string::npos);
  CHECK(graph_as_text(load_text(text).config).find("max_keys: 500") != std::string::npos);
}

TEST_CASE("dedup: a shared store is checked by its class's own schema, and its secrets are masked") {
  const Loaded good = with_dedup("{store: {class: redis_streams, config: {url: \"redis://u:pw@127.0.0.1:1/1\"}}}");
  CHECK(good.lines.empty());
  const auto& dedup = good.config.nodes[0].dedup;
  REQUIRE(dedup.has_value());
  REQUIRE(dedup->shared.size() == 1);
  CHECK(dedup->shared[0].name == "in.dedup");
  CHECK(dedup->shared[0].config_json.find("u:pw@") != std::string::npos);
  const std::string text = graph_as_text(good.config);
  CHECK(text.find("class: \"redis_streams\"") != std::string::npos);
  CHECK(text.find("pw") == std::string::npos);
  CHECK(with_dedup("{store: {class: redis_streams, config: {ulr: x}}}").lines.find("did you mean \"url\"?") !=
        std::string::npos);
  CHECK(with_dedup("{store: {class: redis_stream}}").lines.find("did you mean \"redis_streams\"?") !=
        std::string::npos);
}

TEST_CASE("dedup: what is wrong is said with its cure") {
  const auto said = [](const std::string& dedup) { return with_dedup(dedup).lines; };
  CHECK(said("{key: order_id}").find("must be id (source and id), or JSON pointers") != std::string::npos);
  CHECK(said("{key: []}").find("must be id, or one to 16 JSON pointers") != std::string::npos);
  CHECK(said("{ttl: 5}").find("must be a duration with its unit") != std::string::npos);
  CHECK(said("{max_keys: 0}").find("must be between 1 and") != std::string::npos);
  CHECK(said("{store: disk}").find("{path: FILE.db}") != std::string::npos);
  CHECK(said("{store: {}}").find("{path: FILE.db}") != std::string::npos);
  CHECK(said("{store: {path: a.db, class: redis_streams}}").find("has a path and a class") != std::string::npos);
  CHECK(said("{stor: memory}").find("did you mean \"store\"?") != std::string::npos);
  const Loaded twice = load_text(
      "sluice: 1\nsources:\n  a: {class: generate, dedup: {store: {path: x.db}}}\n"
      "  b: {class: generate, dedup: {store: {path: x.db}}}\nbackends: {out: {class: \"null\", inputs: [a, b]}}\n");
  CHECK(twice.lines.find("is the file of \"a\" too; each source needs its own") != std::string::npos);
  CHECK(with_ordering("dedup: true").lines.find("belongs on a source") != std::string::npos);
}

TEST_CASE("ordering: key alone, or a map; anything else is said with its cure") {
  const auto of = [](const std::string& text) { return with_ordering("delivery: {ordering: " + text + "}"); };
  CHECK_FALSE(of("none").config.nodes[1].delivery.ordering.by_key);
  const Ordering plain = of("key").config.nodes[1].delivery.ordering;
  CHECK(plain.by_key);
  CHECK(plain.key.empty());
  CHECK(plain.max_held == 10'000);
  const Loaded whole = of("{by: key, key: /order/id, max_held: 50}");
  CHECK(whole.lines.empty());
  CHECK(whole.config.nodes[1].delivery.ordering.key == "/order/id");
  CHECK(graph_as_text(whole.config).find(R"(ordering: {by: key, key: "/order/id", max_held: 50})") !=
        std::string::npos);
  CHECK(of("keys").lines.find("must be none, key, or {by: key") != std::string::npos);
  CHECK(of("{key: order}").lines.find("must be partitionkey, subject, or a JSON pointer") != std::string::npos);
  CHECK(of("{max_held: 0}").lines.find("must be between 1 and") != std::string::npos);
}
