// A schema and an instance, parted by a line "---": the schema is refused or compiled, what is compiled compares the
// same way twice and ends, whatever its patterns and references are. The whole is also read as a registry's answer, as
// a line of the cache file, as a frame and as a dataschema.
#include "../../plugins/validation/cache_file.hh"
#include "../../plugins/validation/compiled_schema.hh"
#include "../../plugins/validation/frame.hh"
#include "../../plugins/validation/registry_answer.hh"
#include "../../plugins/validation/registry_paths.hh"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>

namespace {

constexpr std::string_view kLine = "\n---\n";

std::optional<validation::CompiledSchema> compiled(std::string_view text, validation::Draft draft) {
  try {
    return validation::CompiledSchema(text, draft);
  } catch (const validation::BadSchema& why) {
    if (std::string_view(why.what()).empty()) std::abort();
    return std::nullopt;
  }
}

void compare(std::string_view schema_text, std::string_view instance, validation::Draft draft) {
  std::optional<validation::CompiledSchema> schema = compiled(schema_text, draft);
  if (!schema) return;
  static validation::DataCheck check;
  const std::optional<std::string> why = check.why_not(instance, *schema);
  if (why != check.why_not(instance, *schema)) std::abort();
  if (why && why->empty()) std::abort();
  if (schema_text == "false" && !why) std::abort();
  if (const auto frame = validation::read_frame(instance)) (void)check.why_not(frame->payload, *schema);
}

/// Whatever it refers to is answered the same way. What comes out is a document that refers to nothing but itself.
void read_as_answer(std::string_view text) {
  try {
    const validation::FetchedSchema fetched =
        validation::fetch_schema("/subjects/a/versions/1", [&](const std::string&) {
          return validation::HttpReply{200, std::string(text), {}, false};
        });
    compare(fetched.text, text, validation::Draft::draft_7);
  } catch (const validation::FetchError& error) {
    if (error.failure == validation::FetchFailure::none) std::abort();
  }
  (void)validation::compatibility_in(text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view all(reinterpret_cast<const char*>(data), size);
  const std::size_t line = std::min(all.find(kLine), all.size());
  const std::string_view schema = all.substr(0, line);
  const std::string_view instance = all.substr(std::min(line + kLine.size(), all.size()));
  compare(schema, instance, validation::Draft::draft_7);
  compare(schema, instance, validation::Draft::draft_2020_12);
  read_as_answer(all);
  validation::KeptSchema kept;
  if (validation::read_line(all, kept)) {
    validation::KeptSchema again;
    if (!validation::read_line(validation::line_of(kept), again)) std::abort();
    if (again.path != kept.path || again.fetched.text != kept.fetched.text || again.fetched.id != kept.fetched.id)
      std::abort();
  }
  std::string path;
  if (validation::path_in_registry(path, "", all) && path.empty()) std::abort();
  return 0;
}
