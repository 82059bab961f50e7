// A module as a file: what it exports and imports, and its memory as it will be once the linker has put its addresses
// in. Reading runs none of the module's code. The only file that knows libelf is plugin_elf.cc.
//
// A module comes from anybody, so nothing here believes a header: sizes, counts and offsets are checked against the
// file.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Why a file is not taken as a module. One line: "FILE: expected …, found …".
class Refused : public std::runtime_error {
 public:
  Refused(const std::string& path, const std::string& expected, const std::string& found)
      : std::runtime_error(path + ": expected " + expected + ", found " + found) {}
  explicit Refused(const std::string& line) : std::runtime_error(line) {}
};

class ElfFile {
 public:
  /// What pointer() answers when the pointer leads to another library.
  static constexpr std::uint64_t kElsewhere = ~std::uint64_t{0};

  /// Opens a shared object of this machine's kind, or throws Refused.
  explicit ElfFile(std::string path);
  ~ElfFile();
  ElfFile(const ElfFile&) = delete;
  ElfFile& operator=(const ElfFile&) = delete;

  [[nodiscard]] const std::string& path() const noexcept { return path_; }
  /// Symbols that it offers to others, sorted.
  [[nodiscard]] const std::vector<std::string>& exports() const noexcept { return exports_; }
  /// Symbols that it must get from others, weak ones left out, sorted.
  [[nodiscard]] const std::vector<std::string>& imports() const noexcept { return imports_; }
  /// Code that the linker would have to write into.
  [[nodiscard]] bool has_text_relocations() const noexcept { return text_relocations_; }
  /// The versions of the C library that it asks for ("GLIBC_2.34"), sorted.
  [[nodiscard]] const std::vector<std::string>& library_versions() const noexcept { return library_versions_; }

  /// From its lowest to its highest address.
  [[nodiscard]] std::uint64_t memory_bytes() const noexcept;

  /// The address of the first note's content with that owner and type, when its content has at least `bytes`.
  [[nodiscard]] std::optional<std::uint64_t> note(std::string_view owner, std::uint32_t type, std::size_t bytes) const;

  /// Bytes at an address, as they are in the file. False when they are not there.
  [[nodiscard]] bool read(std::uint64_t address, void* to, std::size_t bytes) const;
  /// The pointer at an address: 0 for null, an address inside the module, or kElsewhere.
  [[nodiscard]] std::optional<std::uint64_t> pointer(std::uint64_t address) const;
  /// The NUL-ended text at an address, when it ends within `bytes_max`.
  [[nodiscard]] std::optional<std::string> text(std::uint64_t address, std::size_t bytes_max) const;

 private:
  struct Segment {
    std::uint64_t address, offset, file_bytes, memory_bytes;
  };
  struct Relocation {
    std::uint64_t address, value;
  };
  struct Handle;

  void read_segments();
  void read_sections();
  void read_symbols(std::size_t section);
  void read_relocations();
  void read_packed_relocations(std::size_t section);

  std::string path_;
  std::unique_ptr<Handle> handle_;
  std::uint64_t file_bytes_ = 0;
  std::vector<Segment> segments_;
  std::vector<Relocation> relocations_;  // sorted by address
  std::vector<std::string> exports_, imports_, library_versions_;
  bool text_relocations_ = false;
};

}  // namespace sluice
