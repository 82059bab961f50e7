// The only file that knows Boost.DLL.
#define BOOST_DLL_USE_STD_FS

#include "edge/plugin_library.hh"

#include "core/setup_error.hh"
#include "edge/crash_report.hh"
#include "edge/plugin_elf.hh"
#include "edge/plugin_tables.hh"

#include <dlfcn.h>
#include <sys/stat.h>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <filesystem>
#include <mutex>

namespace sluice {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kFilesMax = 1000;  // in one folder

/// Names that crash reports hold on to: never freed.
const char* keep_for_ever(const std::string& text) {
  static std::deque<std::string>& kept = *new std::deque<std::string>;
  const auto known = std::find(kept.begin(), kept.end(), text);
  return known != kept.end() ? known->c_str() : kept.emplace_back(text).c_str();
}

/// The linker's own words, without the frame that Boost.DLL puts around them.
std::string linker_text(const std::string& what, const std::string& path) {
  const auto symbol = what.find("undefined symbol: ");
  if (symbol != std::string::npos) {
    const auto end = what.find_first_of(" )]\n", symbol + 18);
    return what.substr(symbol, end == std::string::npos ? end : end - symbol);
  }
  const auto at = what.rfind(path + ": ");
  std::string text = at == std::string::npos ? what : what.substr(at + path.size() + 2);
  text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
  return text;
}

/// What the file said must be what the loaded module says: `check` and `explain` showed the file's words to people.
void compare(const ModuleDescription& file, const sluice_module& loaded) {
  bool same = file.classes.size() == loaded.class_count;
  for (std::size_t i = 0; same && i < file.classes.size(); ++i) {
    const ClassDescription now = describe(file.path, *loaded.classes[i]);
    const ClassDescription& then = file.classes[i];
    same = now.name == then.name && now.kind == then.kind && now.version == then.version &&
           now.schema_json == then.schema_json && now.flags == then.flags && now.ports == then.ports;
  }
  if (!same) throw Refused(file.path, "sluice_module_v1() to return the table that the note names", "another table");
}

std::string stamp_of(const std::string& path) {
  struct stat facts {};
  if (::stat(path.c_str(), &facts) != 0) return {};
  return std::to_string(facts.st_dev) + ":" + std::to_string(facts.st_ino) + ":" + std::to_string(facts.st_size) + ":" +
         std::to_string(facts.st_mtim.tv_sec) + "." + std::to_string(facts.st_mtim.tv_nsec);
}

}  // namespace

const sluice_module* load_module(const ModuleDescription& description) {
  struct Loaded {
    boost::dll::shared_library library;
    const sluice_module* module = nullptr;
  };
  // Kept for ever, so that nothing is unloaded at exit either.
  static std::map<std::string, Loaded>& loaded = *new std::map<std::string, Loaded>;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);

  std::error_code ignored;
  const fs::path whole = fs::absolute(description.path, ignored);
  const std::string key = whole.string() + "\n" + description.stamp;
  if (const auto known = loaded.find(key); known != loaded.end()) return known->second.module;
  // The linker knows what it has loaded by the path's text: a newer file needs another way of writing it.
  static std::map<std::string, std::size_t>& generations = *new std::map<std::string, std::size_t>;
  std::string folder = whole.parent_path().string();
  for (std::size_t i = generations[whole.string()]++; i > 0; --i) folder += "/.";
  const std::string path = folder + "/" + whole.filename().string();

  const char* name = keep_for_ever(file_name(description.path));
  Loaded made;
  const auto mode = static_cast<boost::dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  try {
    const CallGuard guard(name, "-", "load");  // constructors of the module run in here
    made.library.load(path, mode);
  } catch (const std::exception& e) {
    throw Refused(description.path, "a module whose symbols and libraries are all found", linker_text(e.what(), path));
  }
  if (!made.library.has("sluice_module_v1")) {
    throw Refused(description.path, "the symbol sluice_module_v1", "no entry symbol: not a Sluice module");
  }
  auto& entry = made.library.get<const sluice_module*()>("sluice_module_v1");
  {
    const CallGuard guard(name, "-", "sluice_module_v1");
    made.module = entry();
  }
  check_tables(description.path, made.module);
  compare(description, *made.module);

  Dl_info facts{};
  if (dladdr(reinterpret_cast<const void*>(&entry), &facts) != 0) {
    add_module_to_crash_report(name, facts.dli_fbase, description.memory_bytes);
  }
  return loaded.emplace(key, std::move(made)).first->second.module;
}

PluginLibrary::PluginLibrary(std::vector<std::string> search_path) : search_path_(std::move(search_path)) {
  for (const std::string& folder : search_path_) scan(folder);
}

void PluginLibrary::scan(const std::string& folder) {
  std::error_code error;
  if (fs::is_regular_file(folder, error)) return add_file(folder);
  std::vector<std::string> files;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    if (at->path().extension() == ".so") files.push_back(at->path().string());
    if (files.size() == kFilesMax) break;
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) add_file(file);
}

void PluginLibrary::add_file(const std::string& path) {
  // A folder may stand in the search path twice, by two names: each file of it once.
  std::error_code unknown;
  const fs::path real = fs::canonical(path, unknown);
  if (!unknown && !files_.insert(real.string()).second) return;
  try {
    const std::string stamp = stamp_of(path);  // before the file is read: a later one has another
    ModuleDescription& module = modules_.emplace_back(inspect_module(path));
    module.stamp = stamp;
    offer(module, nullptr);
  } catch (const Refused& e) {
    refusals_.emplace_back(e.what());
  }
}

void PluginLibrary::offer(const ModuleDescription& module, const sluice_module* built_in) {
  for (const ClassDescription& one : module.classes) {
    Entry& place = classes_[one.name][static_cast<std::size_t>(one.kind)];
    if (place.description == nullptr) {
      place = {&one, built_in};
      continue;
    }
    refusals_.push_back(module.path + ": " + to_text(one.kind) + " class '" + one.name + "' is left out: " +
                        place.description->module_path + " stands earlier in the search path and offers it too");
  }
}

void PluginLibrary::add_built_in(const char* name, const sluice_module* module) {
  check_tables(name, module);
  ModuleDescription& made = modules_.emplace_back();
  made.path = name;
  made.abi_minor = module->abi_minor;
  made.need_minor = module->need_minor;
  for (std::uint32_t i = 0; i < module->class_count; ++i) made.classes.push_back(describe(name, *module->classes[i]));
  offer(made, module);
}

const PluginLibrary::Entry* PluginLibrary::entry_of(NodeKind kind, std::string_view name) const {
  const auto at = classes_.find(name);
  if (at == classes_.end()) return nullptr;
  const Entry& entry = at->second[static_cast<std::size_t>(kind)];
  return entry.description == nullptr ? nullptr : &entry;
}

const ModuleDescription* PluginLibrary::module_of(NodeKind kind, std::string_view name) const {
  const Entry* entry = entry_of(kind, name);
  if (entry == nullptr) return nullptr;
  const auto module = std::find_if(modules_.begin(), modules_.end(), [&](const ModuleDescription& m) {
    return m.path == entry->description->module_path;
  });
  return module == modules_.end() ? nullptr : &*module;
}

const ClassDescription* PluginLibrary::find(NodeKind kind, std::string_view name) const {
  const Entry* entry = entry_of(kind, name);
  return entry == nullptr ? nullptr : entry->description;
}

std::vector<std::string> PluginLibrary::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : classes_) out.push_back(name);
  return out;
}

std::string PluginLibrary::where_looked() const {
  std::string out;
  for (const std::string& folder : search_path_) {
    std::error_code error;
    out += (out.empty() ? "" : ", ") + folder;
    if (!fs::exists(folder, error)) out += " (no such folder)";
  }
  if (out.empty()) out = "nowhere: the search path is empty";
  for (const std::string& line : refusals_) out += "; refused: " + line;
  return out;
}

LoadedClass PluginLibrary::load(std::string_view class_name) {
  const ClassDescription* found = find(class_name);
  return load(found == nullptr ? NodeKind::source : found->kind, class_name);
}

LoadedClass PluginLibrary::load(NodeKind kind, std::string_view class_name) {
  const Entry* entry = entry_of(kind, class_name);
  if (entry == nullptr) {
    throw SetupError("no module offers the class '" + std::string(class_name) + "'; looked in " + where_looked());
  }
  const ClassDescription& description = *entry->description;
  const sluice_module* module = entry->built_in;
  if (module == nullptr) {
    const auto file = std::find_if(modules_.begin(), modules_.end(),
                                   [&](const ModuleDescription& m) { return m.path == description.module_path; });
    try {
      module = load_module(*file);
    } catch (const Refused& e) {
      throw SetupError(e.what());
    }
  }
  if (const sluice_class* table = class_in(*module, description)) {
    return {&description, table, keep_for_ever(file_name(description.module_path))};
  }
  throw SetupError(description.module_path + ": class '" + description.name + "' is gone from the loaded module");
}

}  // namespace sluice
