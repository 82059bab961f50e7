// Schemas of a registry: frames, what it answers, the cache on a clock of the test's own, the file, and the policies
// while nothing answers.
#include "cache_file.hh"
#include "frame.hh"
#include "registry_paths.hh"
#include "schema_cache.hh"

#include <catch.hh>
#include <plugin_rig.hh>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

using namespace validation;
using Catch::Matchers::Contains;

extern "C" const sluice_module* sluice_module_v1(void);

namespace {

struct Folder {
  Folder() {
    std::string made = std::filesystem::temp_directory_path() / "registry-XXXXXX";
    path = ::mkdtemp(made.data());
  }
  ~Folder() { std::filesystem::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string path;
};

/// Answers by path; what is not in it is not found.
struct Answers {
  std::map<std::string, HttpReply> replies;
  std::vector<std::string> asked;

  void schema(const std::string& path, const rig::json& schema, const std::string& more = "{}") {
    rig::json answer{{"schema", schema.dump()}, {"schemaType", "JSON"}};
    answer.update(rig::json::parse(more));
    replies[path] = {200, answer.dump(), "", false};
  }
  FetchedSchema fetch(const std::string& path) {
    return fetch_schema(path, [this](const std::string& at) {
      asked.push_back(at);
      const auto found = replies.find(at);
      return found != replies.end()
                 ? found->second
                 : HttpReply{404, R"({"error_code":40401,"message":"Subject not found."})", "", false};
    });
  }
  FetchError error(const std::string& path) {
    try {
      fetch(path);
    } catch (const FetchError& why) {
      return why;
    }
    return {};
  }
};

std::string why_not(const FetchedSchema& fetched, const std::string& data) {
  CompiledSchema schema(fetched.text, Draft::draft_7);
  return DataCheck().why_not(data, schema).value_or("fits");
}

std::shared_ptr<RegisteredSchema> some_schema(std::size_t padding = 0) {
  FetchedSchema fetched{"s", 1, 1, "{\"title\":\"" + std::string(padding, 'x') + "\"}"};
  CompiledSchema compiled(fetched.text, Draft::draft_7);
  return std::make_shared<RegisteredSchema>(RegisteredSchema{"s", std::move(fetched), 0, std::move(compiled)});
}

struct Node {
  explicit Node(const std::string& more)
      : node(rig::class_of(*sluice_module_v1(), "json_schema"),
             R"({"registry":{"url":"http://127.0.0.1:9","subjects":{"order":"orders"}},)" + more + "}", host) {
    node.start();
  }
  sluice_status process(const std::string& event) {
    const rig::Batch batch({event});
    rig::Writer out(64);
    const sluice_status status = node.process(batch, verdict, &out);
    made = out.texts();
    return status;
  }
  rig::Host host;
  rig::Node node;
  std::vector<std::uint8_t> verdict;
  std::vector<std::string> made;
};

const std::string kOrder = R"({"specversion":"1.0","id":"1","source":"/s","type":"order","data":{"n":1}})";
const std::string kFramed =  // id 7, then {"n":1}
    R"({"specversion":"1.0","id":"2","source":"/s","type":"other","data_base64":"AAAAAAd7Im4iOjF9"})";

}  // namespace

TEST_CASE("registry: a frame is a zero byte, an id of four bytes and the data", "[registry]") {
  const std::string framed{"\0\x01\x02\x03\x04{}", 7};
  const auto frame = read_frame(framed);
  REQUIRE(frame);
  CHECK(frame->id == 0x01020304);
  CHECK(frame->payload == "{}");
  CHECK(read_frame(framed.substr(0, 5))->payload.empty());
  CHECK_FALSE(read_frame(framed.substr(0, 4)));
  CHECK_FALSE(read_frame("\1abcdefg"));
  CHECK_FALSE(read_frame(""));
}

TEST_CASE("registry: a dataschema lies in the registry when it is one of its schemas", "[registry]") {
  std::string path;
  const std::string base = "http://r/x";
  CHECK((path_in_registry(path, base, base + "/schemas/ids/7") && path == "/schemas/ids/7"));
  CHECK((path_in_registry(path, base, base + "/schemas/ids/7/schema") && path == "/schemas/ids/7"));
  CHECK((path_in_registry(path, base, base + "/subjects/a%2Fb/versions/latest") &&
         path == "/subjects/a%2Fb/versions/latest"));
  for (const char* other : {"/schemas/ids/latest", "/schemas/ids/0", "/schemas/ids/7/x", "/subjects//versions/1",
                            "/subjects/a/b/versions/1", "/subjects/a?x/versions/1", "/config", "", "/"}) {
    CAPTURE(other);
    CHECK_FALSE(path_in_registry(path, base, base + other));
  }
  CHECK_FALSE(path_in_registry(path, base, "http://other/schemas/ids/7"));
}

TEST_CASE("registry: a schema comes with what it refers to, and each of that with its own", "[registry]") {
  Answers r;
  r.schema(
      "/subjects/order/versions/latest",
      {{"$id", "https://x/order"},
       {"properties", {{"lines", {{"items", {{"$ref", "line.json"}}}}}, {"n", {{"$ref", "#/definitions/n"}}}}},
       {"definitions", {{"n", {{"type", "integer"}}}}}},
      R"({"id":9,"version":3,"subject":"order","references":[{"name":"line.json","subject":"line","version":1}]})");
  r.schema("/subjects/line/versions/1",
           {{"$id", "https://x/line"},
            {"properties", {{"price", {{"$ref", "money.json#/definitions/m"}}}, {"n", {{"$ref", "#/definitions/n"}}}}},
            {"definitions", {{"n", {{"type", "string"}}}}},
            {"enum", {{{"n", "a"}}, {{"price", 1}}, {{"price", "x"}}, {{"n", 1}}}}},
           R"({"references":[{"name":"money.json","subject":"money","version":2}]})");
  r.schema("/subjects/money/versions/2", {{"definitions", {{"m", {{"type", "number"}}}}}});
  const FetchedSchema fetched = r.fetch("/subjects/order/versions/latest");
  CHECK((fetched.id == 9 && fetched.version == 3 && fetched.subject == "order"));
  CHECK(name_of(fetched, "") == "subject order version 3");
  CHECK(why_not(fetched, R"({"n":1,"lines":[{"n":"a"},{"price":1}]})") == "fits");
  CHECK_THAT(why_not(fetched, R"({"n":"a"})"), Contains("/n"));
  CHECK_THAT(why_not(fetched, R"({"lines":[{"price":"x"}]})"), Contains("/lines/0/price"));
  CHECK_THAT(why_not(fetched, R"({"lines":[{"n":1}]})"), Contains("/lines/0/n"));
  CHECK(r.asked.size() == 3);
}

TEST_CASE("registry: what goes round in references is fetched once and refused as a schema", "[registry]") {
  Answers r;
  const std::string more = R"({"references":[{"name":"self","subject":"a","version":1}]})";
  r.schema("/subjects/a/versions/1", {{"$ref", "self"}}, more);
  const FetchedSchema fetched = r.fetch("/subjects/a/versions/1");
  CHECK(r.asked.size() == 2);
  CHECK_THROWS_AS(CompiledSchema(fetched.text, Draft::draft_7), BadSchema);
}

TEST_CASE("registry: an answer that is no schema says what it is and what to do", "[registry]") {
  struct Row {
    HttpReply reply;
    FetchFailure failure;
    std::string part;
  };
  const auto row = GENERATE(values<Row>({
      {{0, "", "Could not connect to server", false}, FetchFailure::away, "Could not connect"},
      {{0, "", "Timeout was reached", true}, FetchFailure::slow, "Timeout"},
      {{401, R"({"message":"Unauthorized"})", "", false},
       FetchFailure::denied,
       "check username and password, or token"},
      {{403, "", "", false}, FetchFailure::denied, "403"},
      {{404, R"({"error_code":40403,"message":"Schema not found"})", "", false}, FetchFailure::not_found, "Schema not"},
      {{404, "<html>", "", false}, FetchFailure::bad_answer, "is the url that of a schema registry?"},
      {{429, "", "", false}, FetchFailure::away, "429"},
      {{503, "", "", false}, FetchFailure::away, "503"},
      {{302, "", "", false}, FetchFailure::bad_answer, "302"},
      {{200, "[]", "", false}, FetchFailure::bad_answer, "holds no schema"},
      {{200, R"({"schema":"\"string\""})", "", false}, FetchFailure::bad_schema, "AVRO"},
      {{200, R"({"schema":"syntax","schemaType":"PROTOBUF"})", "", false}, FetchFailure::bad_schema, "PROTOBUF"},
      {{200, R"({"schema":"{","schemaType":"JSON","references":[]})", "", false}, FetchFailure::bad_schema, "no JSON"},
  }));
  Answers r;
  r.replies["/x"] = row.reply;
  const FetchError error = r.error("/x");
  CHECK(error.failure == row.failure);
  CHECK_THAT(error.why, Contains(row.part));
}

TEST_CASE("registry: a referred schema that is not there is named", "[registry]") {
  Answers r;
  r.schema("/a", {{"$ref", "b.json"}}, R"({"references":[{"name":"b.json","subject":"b","version":4}]})");
  const FetchError error = r.error("/a");
  CHECK(error.failure == FetchFailure::not_found);
  CHECK_THAT(error.why, Contains("b.json (/subjects/b/versions/4): it answers 404"));
}

TEST_CASE("registry: the cache keeps what was fetched when a later fetch fails", "[registry]") {
  SchemaCache cache({10, 1000, 100, 30, 5});
  CHECK(cache.find("/a", 0) == nullptr);
  cache.store("/a", some_schema(), 0);
  CHECK(cache.find("/a", 0)->fresh_until_ns == 100);
  cache.fail("/a", {FetchFailure::away, "gone"}, 200);
  CHECK(cache.find("/a", 200)->schema != nullptr);
  CHECK(cache.find("/a", 200)->fresh_until_ns == 205);
  cache.fail("/b", {FetchFailure::not_found, "none"}, 200);
  CHECK(cache.find("/b", 200)->schema == nullptr);
  CHECK(cache.find("/b", 200)->fresh_until_ns == 230);
  cache.store("/b", some_schema(), 231);
  CHECK((cache.find("/b", 231)->schema != nullptr && cache.find("/b", 231)->failed.why.empty()));
  cache.restore("/c", some_schema(), 300);
  CHECK(cache.find("/c", 300)->fresh_until_ns == 300);
  CHECK(cache.schemas() == 3);
}

TEST_CASE("registry: the cache lets the least recently used go, and failures before schemas", "[registry]") {
  SchemaCache cache({3, 1000, 100, 30, 5});
  for (int i = 0; i < 3; ++i) cache.store("/" + std::to_string(i), some_schema(), static_cast<std::uint64_t>(i));
  CHECK(cache.find("/0", 10) != nullptr);
  for (int i = 0; i < 50; ++i) cache.fail("/bad" + std::to_string(i), {FetchFailure::not_found, ""}, 11);
  CHECK(cache.schemas() == 3);
  CHECK(cache.entries() <= 6);
  cache.store("/3", some_schema(), 12);
  CHECK(cache.find("/1", 13) == nullptr);
  CHECK(cache.find("/0", 13) != nullptr);
  cache.store("/4", some_schema(970), 14);  // alone nearly as large as all may be
  CHECK(cache.schemas() <= 2);
  CHECK(cache.bytes() <= 1000);
  CHECK(cache.find("/4", 15) != nullptr);
}

TEST_CASE("registry: the file gives back what was written, for the same registry only", "[registry]") {
  const Folder folder;
  const std::string path = folder.path + "/new/cache";
  const KeptSchema kept{"/subjects/s/versions/latest", {"s\"\n", 7, 2, "{\"a\":\"ü\\u0000\"}"}, 1234};
  std::string complaint;
  {
    CacheFile file(path, "http://r");
    CHECK(file.open(complaint).empty());
    file.write(line_of(kept) + "half a li");
    CHECK_THROWS_WITH(CacheFile(path, "http://r").open(complaint), Contains("in use by another process"));
  }
  CacheFile file(path, "http://r");
  const std::vector<KeptSchema> all = file.open(complaint);
  REQUIRE(all.size() == 1);
  CHECK((all[0].path == kept.path && all[0].fetched.subject == kept.fetched.subject && all[0].fetched.id == 7 &&
         all[0].fetched.version == 2 && all[0].fetched.text == kept.fetched.text && all[0].fetched_unix_s == 1234));
  CHECK_THAT(complaint, Contains(":3: a damaged line"));
}

TEST_CASE("registry: the file of another registry is not used, and a foreign file is refused", "[registry]") {
  const Folder folder;
  std::string complaint;
  {
    CacheFile file(folder.path + "/cache", "http://one");
    CHECK(file.open(complaint).empty());
    file.write(line_of({"/schemas/ids/1", {"", 1, 0, "{}"}, 1}));
  }
  CHECK(CacheFile(folder.path + "/cache", "http://two").open(complaint).empty());
  CHECK_THAT(complaint, Contains("of another registry (http://one)"));
  std::ofstream(folder.path + "/mine") << "something else\n";
  CHECK_THROWS_WITH(CacheFile(folder.path + "/mine", "http://r").open(complaint), Contains("is not a schema cache"));
}

TEST_CASE("registry: while it is away the policy says what becomes of events", "[registry]") {
  struct Row {
    std::string policy;
    std::uint8_t verdict;
  };
  const auto row = GENERATE(
      values<Row>({{"pass", 0}, {"reject", SLUICE_TO_REJECT}, {"tag", 0}, {"divert", 1}, {"halt", SLUICE_TO_REFUSE}}));
  CAPTURE(row.policy);
  Node n(R"("on_unavailable":")" + row.policy + "\"");
  for (const std::string& event : {kOrder, kFramed}) {
    CHECK(n.process(event) == (row.policy == "halt" && event == kOrder ? SLUICE_HALT : SLUICE_OK));
    CHECK(n.verdict == std::vector<std::uint8_t>{row.verdict});
    CHECK(n.made.size() == (row.policy == "tag" ? 1 : 0));
  }
  if (row.policy == "reject") {
    CHECK_THAT(n.host.explained.at(0), Contains("http://127.0.0.1:9/schemas/ids/7 cannot be had: "));
  }
  if (row.policy != "halt") CHECK(n.host.cell("json_schema_events_total{result=\"unavailable\"}")->count == 2);
  CHECK(n.host.logged("the schema registry http://127.0.0.1:9 cannot be used"));
}

TEST_CASE("registry: waiting ends after wait_at_most, and leaves the event with its source", "[registry]") {
  rig::Host host;
  rig::Node node(rig::class_of(*sluice_module_v1(), "json_schema"),
                 R"({"registry":{"url":"http://127.0.0.1:9","subjects":{"order":"orders"},"wait_at_most":120}})", host);
  node.start();
  const rig::Batch batch({kOrder, kOrder});
  std::vector<std::uint8_t> verdict;
  CHECK(node.process(batch, verdict, nullptr) == SLUICE_OK);
  CHECK(verdict == std::vector<std::uint8_t>{SLUICE_TO_REFUSE, SLUICE_TO_REFUSE});
  CHECK_THAT(host.explained.at(1), Contains("/subjects/orders/versions/latest cannot be had"));
}

TEST_CASE("registry: an event that needs no schema of it does not wait", "[registry]") {
  Node n(R"("on_unknown":"drop")");
  n.process(R"({"specversion":"1.0","id":"1","source":"/s","type":"other","data":1})");
  CHECK(n.verdict == std::vector<std::uint8_t>{SLUICE_TO_DROP});
}

TEST_CASE("registry: settings that cannot work are refused with their key", "[registry]") {
  struct Row {
    std::string config, part;
  };
  const auto row = GENERATE(values<Row>({
      {R"({"url":"ftp://x"})", "registry/url: must begin with http"},
      {R"({"url":"http://u:p@x"})", "registry/url: holds a user or a password"},
      {R"({"url":"http:///x"})", "registry/url: names no host"},
      {R"({"url":"http://x?y"})", "registry/url: must end with its path"},
      {R"({"url":"http://x","username":"u","token":"t"})", "registry/token: "},
      {R"({"url":"http://x","password":"p"})", "registry/password: needs username"},
      {R"({"url":"http://x","username":"u","password":"p","password_file":"f"})", "registry/password: give it, or"},
      {R"({"url":"http://x","ca_file":"/none.pem"})", "registry/ca_file: /none.pem cannot be read"},
      {R"({"url":"http://x","subject":"{type"})", "registry/subject"},
      {R"({"url":"http://x","subjects":{"a":"@3"}})", "registry/subjects/a: names no subject"},
  }));
  rig::Host host;
  CHECK_THROWS_WITH(
      rig::Node(rig::class_of(*sluice_module_v1(), "json_schema"), R"({"registry":)" + row.config + "}", host),
      Contains(row.part) && !Contains("u:p"));
}
