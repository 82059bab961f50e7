#include "schema_files.hh"

#include <sluice/cpp/guard.hh>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

namespace validation {
namespace {

namespace fs = std::filesystem;

std::string contents_of(const std::string& path, const std::string& key) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw sluice::BadConfig(key + ": the schema " + path + " cannot be read: " + std::strerror(errno) +
                            "; give the path of a JSON Schema file");
  }
  std::string text(kSchemaBytesMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  return text;
}

}  // namespace

SchemaFiles::SchemaFiles(const sluice::ConfigView& config)
    : draft_(config.text("draft") == "2020-12" ? Draft::draft_2020_12 : Draft::draft_7) {
  if (config.has("folder")) read_folder(config.text("folder"));
  for (const auto& [type, path] : config.map("types")) by_type_[type] = &read(path, "types." + type);
  for (const auto& [uri, path] : config.map("dataschemas")) by_dataschema_[uri] = &read(path, "dataschemas." + uri);
}

NamedSchema& SchemaFiles::read(const std::string& path, const std::string& key) {
  if (const auto known = by_path_.find(path); known != by_path_.end()) return *known->second;
  if (schemas_.size() >= kFilesMax) {
    throw sluice::BadConfig(key + ": more than " + std::to_string(kFilesMax) + " schemas");
  }
  try {
    schemas_.push_back({path, CompiledSchema(contents_of(path, key), draft_)});
  } catch (const BadSchema& why) {
    throw sluice::BadConfig(key + ": the schema " + path + ": " + why.what());
  }
  return *(by_path_[path] = &schemas_.back());
}

void SchemaFiles::read_folder(const std::string& folder) {
  std::error_code error;
  std::vector<fs::path> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".json") files.push_back(at->path());
    if (files.size() > kFilesMax) {
      throw sluice::BadConfig("folder: " + folder + " holds more than " + std::to_string(kFilesMax) + " schemas");
    }
  }
  if (error) throw sluice::BadConfig("folder: " + folder + " cannot be read: " + error.message());
  if (files.empty()) throw sluice::BadConfig("folder: " + folder + " holds no file whose name ends with .json");
  std::sort(files.begin(), files.end());
  for (const fs::path& file : files) {
    NamedSchema& made = read(file.string(), "folder");
    by_type_[file.stem().string()] = &made;
    const std::string& id = made.schema.id();
    if (id.empty()) continue;
    const auto [there, is_new] = by_dataschema_.emplace(id, &made);
    if (!is_new) throw sluice::BadConfig("folder: " + made.name + " and " + there->second->name + " have the same $id");
  }
}

NamedSchema* SchemaFiles::find_dataschema(std::string_view dataschema) {
  if (by_dataschema_.empty() || dataschema.empty()) return nullptr;
  const auto found = by_dataschema_.find(dataschema);
  return found == by_dataschema_.end() ? nullptr : found->second;
}

NamedSchema* SchemaFiles::find_type(std::string_view type) {
  const auto found = by_type_.find(type);
  return found == by_type_.end() ? nullptr : found->second;
}

}  // namespace validation
