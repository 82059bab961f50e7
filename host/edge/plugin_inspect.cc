// The note in the file says where the module's table lies; from there on this follows the tables as the host would in
// memory, but in the file: every pointer is looked up among the relocations that the linker would apply.
//
// What comes out is a copy of the tables in our own memory, so that one set of rules (plugin_tables) serves both.
// Function pointers become a mark: the copy can be judged, not called.

#include "edge/plugin_inspect.hh"

#include "edge/plugin_elf.hh"
#include "edge/plugin_tables.hh"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <deque>

namespace sluice {
namespace {

constexpr std::size_t kTextBytesMax = 4096;
constexpr std::size_t kSchemaBytesMax = 1024 * 1024;
constexpr std::uint32_t kClassesMax = 256;
constexpr std::size_t kPortsMax = 253;

class Copy {
 public:
  explicit Copy(const ElfFile& file) : file_(file) {}

  const sluice_module* module_at(std::uint64_t address) {
    if (!table_at(address, module_)) return nullptr;
    if (!SLUICE_HAS(&module_, sluice_module, classes)) return &module_;
    const std::uint64_t list = pointer_at(address + offsetof(sluice_module, classes));
    if (list == 0 || module_.class_count > kClassesMax) {
      module_.classes = nullptr;
      return &module_;
    }
    for (std::uint32_t i = 0; i < module_.class_count; ++i) {
      const std::uint64_t one = pointer_at(list + i * sizeof(void*));
      pointers_.push_back(one == 0 ? nullptr : class_at(one));
    }
    module_.classes = pointers_.data();
    return &module_;
  }

 private:
  /// Copies as much of a table as both sides know; `size` stays the module's own number, as it would in memory.
  template <class Table>
  bool table_at(std::uint64_t address, Table& out) {
    std::uint32_t bytes = 0;
    if (!file_.read(address, &bytes, sizeof bytes)) damaged();
    out = {};
    if (!file_.read(address, &out, std::min<std::size_t>(bytes, sizeof out))) damaged();
    out.size = bytes;
    return true;
  }

  std::uint64_t pointer_at(std::uint64_t address) {
    const auto found = file_.pointer(address);
    if (!found) damaged();
    return *found;
  }

  const char* text_at(std::uint64_t address, std::size_t bytes_max) {
    const std::uint64_t target = pointer_at(address);
    if (target == 0) return nullptr;
    auto text = file_.text(target, bytes_max);
    if (!text) damaged();
    return texts_.emplace_back(std::move(*text)).c_str();
  }

  /// A function pointer of the copy: null or a mark that is never called.
  template <class Table, class Function>
  void slot(Table& out, std::uint64_t address, Function* Table::*member, std::size_t offset) {
    static const char kMark = 0;
    if (out.size < offset + sizeof(void*)) return;
    const void* mark = pointer_at(address + offset) == 0 ? nullptr : &kMark;
    std::memcpy(&(out.*member), &mark, sizeof mark);
  }

  const char* const* ports_at(std::uint64_t address) {
    const std::uint64_t list = pointer_at(address);
    if (list == 0) return nullptr;
    auto& ports = ports_.emplace_back();
    for (std::size_t i = 0; i <= kPortsMax; ++i) {
      ports.push_back(text_at(list + i * sizeof(void*), kTextBytesMax));
      if (ports.back() == nullptr) break;
    }
    if (ports.back() != nullptr) ports.push_back(nullptr);
    return ports.data();
  }

  const sluice_class* class_at(std::uint64_t at) {
    sluice_class& out = classes_.emplace_back();
    table_at(at, out);
    if (!SLUICE_HAS(&out, sluice_class, extension)) return &out;  // truncated: check_tables says so before it reads on
    out.name = text_at(at + offsetof(sluice_class, name), kTextBytesMax);
    out.version = text_at(at + offsetof(sluice_class, version), kTextBytesMax);
    out.summary = text_at(at + offsetof(sluice_class, summary), kTextBytesMax);
    out.config_schema = text_at(at + offsetof(sluice_class, config_schema), kSchemaBytesMax);
    out.ports = ports_at(at + offsetof(sluice_class, ports));
    out.source = source_at(pointer_at(at + offsetof(sluice_class, source)));
    out.consumer = consumer_at(pointer_at(at + offsetof(sluice_class, consumer)));
    out.backend = backend_at(pointer_at(at + offsetof(sluice_class, backend)));
    slot(out, at, &sluice_class::create, offsetof(sluice_class, create));
    slot(out, at, &sluice_class::start, offsetof(sluice_class, start));
    slot(out, at, &sluice_class::poll, offsetof(sluice_class, poll));
    slot(out, at, &sluice_class::probe, offsetof(sluice_class, probe));
    slot(out, at, &sluice_class::stop, offsetof(sluice_class, stop));
    slot(out, at, &sluice_class::destroy, offsetof(sluice_class, destroy));
    slot(out, at, &sluice_class::extension, offsetof(sluice_class, extension));
    return &out;
  }

  const sluice_source* source_at(std::uint64_t at) {
    if (at == 0) return nullptr;
    sluice_source& out = sources_.emplace_back();
    table_at(at, out);
    slot(out, at, &sluice_source::pull, offsetof(sluice_source, pull));
    slot(out, at, &sluice_source::settle, offsetof(sluice_source, settle));
    return &out;
  }
  const sluice_consumer* consumer_at(std::uint64_t at) {
    if (at == 0) return nullptr;
    sluice_consumer& out = consumers_.emplace_back();
    table_at(at, out);
    slot(out, at, &sluice_consumer::process, offsetof(sluice_consumer, process));
    slot(out, at, &sluice_consumer::tick, offsetof(sluice_consumer, tick));
    slot(out, at, &sluice_consumer::settled, offsetof(sluice_consumer, settled));
    return &out;
  }
  const sluice_backend* backend_at(std::uint64_t at) {
    if (at == 0) return nullptr;
    sluice_backend& out = backends_.emplace_back();
    table_at(at, out);
    slot(out, at, &sluice_backend::publish, offsetof(sluice_backend, publish));
    slot(out, at, &sluice_backend::flush, offsetof(sluice_backend, flush));
    return &out;
  }

  [[noreturn]] void damaged() const {
    throw Refused(file_.path(), "tables that are constants of the file", "a pointer or text that cannot be read there");
  }

  const ElfFile& file_;
  sluice_module module_{};
  std::vector<const sluice_class*> pointers_;
  std::deque<sluice_class> classes_;
  std::deque<sluice_source> sources_;
  std::deque<sluice_consumer> consumers_;
  std::deque<sluice_backend> backends_;
  std::deque<std::string> texts_;
  std::deque<std::vector<const char*>> ports_;
};

std::string first_few(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < 3; ++i) out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > 3) out += " and " + std::to_string(names.size() - 3) + " more";
  return out;
}

void check_exports(const ElfFile& file) {
  const std::string entry = "sluice_module_v1";
  std::vector<std::string> extra, other_majors;
  bool found = false;
  for (const std::string& name : file.exports()) {
    if (name == entry) {
      found = true;
    } else if (name.rfind("sluice_module_v", 0) == 0) {
      other_majors.push_back(name);  // one module may serve hosts of several majors
    } else {
      extra.push_back(name);
    }
  }
  if (!found && !other_majors.empty()) {
    throw Refused(file.path(), "the symbol " + entry + " (ABI major 1)", first_few(other_majors) + " (another major)");
  }
  if (!found) throw Refused(file.path(), "the symbol " + entry, "no entry symbol: not a Sluice module");
  if (!extra.empty()) {
    throw Refused(file.path(), entry + " as the only exported symbol",
                  std::to_string(extra.size()) + " more: " + first_few(extra));
  }
}

}  // namespace

ModuleDescription inspect_module(const std::string& path) {
  const ElfFile file(path);
  check_exports(file);
  const auto note = file.note(SLUICE_NOTE_OWNER, 1, sizeof(std::int64_t));
  std::int64_t distance = 0;
  if (!note || !file.read(*note, &distance, sizeof distance)) {
    throw Refused(path, "a descriptor note of " SLUICE_NOTE_OWNER " (SLUICE_MODULE or SLUICE_MODULE_TABLE writes it)",
                  "none");
  }
  ModuleDescription out;
  out.path = path;
  out.table_address = *note + static_cast<std::uint64_t>(distance);
  out.memory_bytes = file.memory_bytes();
  Copy copy(file);
  const sluice_module* module = copy.module_at(out.table_address);
  check_tables(path, module);
  out.abi_minor = module->abi_minor;
  out.need_minor = module->need_minor;
  for (std::uint32_t i = 0; i < module->class_count; ++i) out.classes.push_back(describe(path, *module->classes[i]));
  return out;
}

std::string file_name(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? path : path.substr(slash + 1);
}

}  // namespace sluice
