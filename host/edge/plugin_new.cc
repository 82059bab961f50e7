// `sluice plugin new`: the files of plugin_api/template with the names put in. They are compiled into the host.
#include "core/exit_code.hh"
#include "edge/plugin_commands.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

extern "C" {
extern const char template_project_cmake[];
extern const char template_readme_txt[];
extern const char template_source_cc[], template_source_json[], template_source_yaml[];
extern const char template_consumer_cc[], template_consumer_json[], template_consumer_yaml[];
extern const char template_backend_cc[], template_backend_json[], template_backend_yaml[];
}

namespace sluice {
namespace fs = std::filesystem;
namespace {

struct Template {
  const char *kind, *code, *schema, *example;
};
const Template kTemplates[] = {
    {"source", template_source_cc, template_source_json, template_source_yaml},
    {"consumer", template_consumer_cc, template_consumer_json, template_consumer_yaml},
    {"backend", template_backend_cc, template_backend_json, template_backend_yaml},
};

bool good_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && name[0] >= 'a' && name[0] <= 'z' &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

/// my_queue → MyQueue
std::string class_of(std::string_view name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (c == '_') {
      upper = true;
    } else {
      out += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = false;
    }
  }
  return out;
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
}

}  // namespace

int plugin_new(const std::string& kind, const std::string& name, const std::string& folder, std::ostream& out) {
  const auto chosen =
      std::find_if(std::begin(kTemplates), std::end(kTemplates), [&](const Template& t) { return kind == t.kind; });
  if (chosen == std::end(kTemplates)) {
    out << "kind: expected source, consumer or backend, got '" << kind << "'\n";
    return kUsage;
  }
  if (!good_name(name)) {
    out << "name: expected 1 to 64 letters a-z, digits and _, beginning with a letter, got '" << name << "'\n";
    return kUsage;
  }
  std::error_code error;
  if (fs::exists(folder, error) && !fs::is_empty(folder, error)) {
    out << folder << ": expected a new or empty folder, found one with files in it\n";
    return kBadConfig;
  }
  fs::create_directories(folder, error);
  if (error) {
    out << folder << ": cannot be made: " << error.message() << '\n';
    return kBadConfig;
  }
  const std::pair<const char*, const char*> files[] = {{"CMakeLists.txt", template_project_cmake},
                                                       {"README.md", template_readme_txt},
                                                       {"plugin.cc", chosen->code},
                                                       {"schema.json", chosen->schema},
                                                       {"example.yaml", chosen->example}};
  for (const auto& [file, content] : files) {
    std::string text = content;
    replace_all(text, "@NAME@", name);
    replace_all(text, "@CLASS@", class_of(name));
    replace_all(text, "@KIND@", kind);
    const std::string path = folder + "/" + file;
    std::ofstream to(path, std::ios::binary);
    to << text;
    to.close();
    if (!to) {
      out << path << ": cannot be written: " << std::strerror(errno) << '\n';
      return kBadConfig;
    }
  }
  out << "a " << kind << " named " << name << " is in " << folder << "; next:\n"
      << "  cmake -S " << folder << " -B " << folder << "/build && cmake --build " << folder << "/build\n"
      << "  sluice plugin check " << folder << "/build/" << name << ".so\n";
  return kClean;
}

}  // namespace sluice
