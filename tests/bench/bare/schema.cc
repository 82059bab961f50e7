// bare_schema FILE FOLDER — reads every line with RapidJSON and compares its data with the schema of its type by
// valijson, through the adapter that class json_schema uses, with the parser's memory kept from line to line as it
// does.
#define VALIJSON_USE_EXCEPTIONS 1

#include "measured.hh"

#include <valijson/adapters/rapidjson_adapter.hpp>

#include <rapidjson/document.h>
#include <rapidjson/memorystream.h>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <unordered_map>

namespace {

using Adapter = valijson::adapters::RapidJsonAdapter;
using Pool = rapidjson::MemoryPoolAllocator<>;
using Document = rapidjson::GenericDocument<rapidjson::UTF8<>, Pool, Pool>;

struct Known {
  valijson::Schema schema;
  valijson::Validator validator;
};
using Schemas = std::unordered_map<std::string, std::unique_ptr<Known>>;

Schemas schemas_in(const char* folder) {
  Schemas all;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    std::ifstream file(entry.path());
    const std::string text((std::istreambuf_iterator<char>(file)), {});
    rapidjson::Document document;
    document.Parse(text.data(), text.size());
    auto known = std::make_unique<Known>();
    valijson::SchemaParser parser(valijson::SchemaParser::kDraft7);
    parser.populateSchema(Adapter(document), known->schema);
    all.emplace(entry.path().stem().string(), std::move(known));
  }
  return all;
}

}  // namespace

int main(int, char** arguments) {
  Schemas schemas = schemas_in(arguments[2]);
  static std::array<char, 64 * 1024> bytes, stack_bytes;
  Pool pool(bytes.data(), bytes.size()), stack(stack_bytes.data(), stack_bytes.size());
  std::string type;
  std::string_view line;
  std::uint64_t events = 0;
  const bare::Stopwatch watch;
  bare::Lines lines(arguments[1]);
  while (lines.next(line)) {
    pool.Clear();
    stack.Clear();
    Document event(&pool, 1024, &stack);
    rapidjson::MemoryStream stream(line.data(), line.size());
    event.ParseStream<rapidjson::kParseIterativeFlag>(stream);
    if (event.HasParseError()) bare::give_up("not an event");
    const rapidjson::Value& value = event;
    type.assign(value["type"].GetString(), value["type"].GetStringLength());
    Known& known = *schemas.at(type);
    if (!known.validator.validate(known.schema, Adapter(value["data"]), nullptr)) bare::give_up("does not fit");
    ++events;
  }
  watch.report(events, lines.bytes());
  return 0;
}
