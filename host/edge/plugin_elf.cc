#include "edge/plugin_elf.hh"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sluice {
namespace {

constexpr std::uint64_t kFileBytesMax = 1024ull * 1024 * 1024;
constexpr std::size_t kRelocationsMax = 4'000'000;
constexpr std::size_t kSymbolsMax = 1'000'000;

#if defined(__x86_64__)
constexpr unsigned kMachine = EM_X86_64;
constexpr unsigned kRelative = R_X86_64_RELATIVE;
constexpr unsigned kAbsolute = R_X86_64_64;
#elif defined(__aarch64__)
constexpr unsigned kMachine = EM_AARCH64;
constexpr unsigned kRelative = R_AARCH64_RELATIVE;
constexpr unsigned kAbsolute = R_AARCH64_ABS64;
#else
#error "sluice reads module descriptors on x86-64 and aarch64"
#endif

#ifndef SHT_RELR
#define SHT_RELR 19
#endif

std::string machine_name(unsigned machine) {
  switch (machine) {
    case EM_X86_64:
      return "x86-64";
    case EM_AARCH64:
      return "aarch64";
    case EM_386:
      return "i386";
    case EM_ARM:
      return "arm";
    case EM_RISCV:
      return "riscv";
    case EM_PPC64:
      return "ppc64";
    case EM_S390:
      return "s390";
    default:
      return "machine number " + std::to_string(machine);
  }
}

/// What a file that is not ELF looks like, for the message.
std::string what_it_is(const unsigned char* head, std::size_t bytes) {
  const bool text =
      std::all_of(head, head + bytes, [](unsigned char c) { return c >= 0x20 || (c >= '\t' && c <= '\r'); });
  if (bytes >= 2 && head[0] == '#' && head[1] == '!') return "a script";
  return text ? "a text file" : "other bytes";
}

}  // namespace

struct ElfFile::Handle {
  int fd = -1;
  Elf* elf = nullptr;
  ~Handle() {
    if (elf != nullptr) elf_end(elf);
    if (fd >= 0) close(fd);
  }
};

ElfFile::~ElfFile() = default;

ElfFile::ElfFile(std::string path) : path_(std::move(path)), handle_(std::make_unique<Handle>()) {
  static const std::string kExpected = "an ELF shared object for " + machine_name(kMachine);
  // O_NONBLOCK: opening a FIFO must not wait for its writer.
  handle_->fd = open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (handle_->fd < 0) throw Refused(path_, "a readable file", std::strerror(errno));
  struct stat facts {};
  if (fstat(handle_->fd, &facts) != 0) throw Refused(path_, "a readable file", std::strerror(errno));
  if (S_ISDIR(facts.st_mode)) throw Refused(path_, kExpected, "a folder");
  if (S_ISFIFO(facts.st_mode)) throw Refused(path_, kExpected, "a FIFO");
  if (!S_ISREG(facts.st_mode)) throw Refused(path_, kExpected, "a device or socket");
  if (facts.st_size == 0) throw Refused(path_, kExpected, "an empty file");
  file_bytes_ = static_cast<std::uint64_t>(facts.st_size);
  if (file_bytes_ > kFileBytesMax)
    throw Refused(path_, "a file of at most 1 GiB", std::to_string(file_bytes_) + " bytes");

  std::array<unsigned char, EI_NIDENT + 4> head{};
  const ssize_t got = pread(handle_->fd, head.data(), head.size(), 0);
  if (got < 0) throw Refused(path_, "a readable file", std::strerror(errno));
  if (got < SELFMAG || std::memcmp(head.data(), ELFMAG, SELFMAG) != 0) {
    throw Refused(path_, kExpected, "no ELF file but " + what_it_is(head.data(), static_cast<std::size_t>(got)));
  }
  if (static_cast<std::size_t>(got) < head.size()) throw Refused(path_, kExpected, "an ELF file that is cut off");
  if (head[EI_DATA] == ELFDATA2MSB) throw Refused(path_, kExpected, "one for a big-endian machine");
  const unsigned machine = head[EI_NIDENT + 2] | (static_cast<unsigned>(head[EI_NIDENT + 3]) << 8);
  if (machine != kMachine) throw Refused(path_, kExpected, "one for " + machine_name(machine));
  if (head[EI_CLASS] != ELFCLASS64) throw Refused(path_, kExpected, "a 32-bit one");
  const unsigned kind = head[EI_NIDENT] | (static_cast<unsigned>(head[EI_NIDENT + 1]) << 8);
  if (kind != ET_DYN) {
    throw Refused(path_, kExpected,
                  kind == ET_REL ? "an object file that was never linked" : "an ELF file of another kind");
  }

  elf_version(EV_CURRENT);
  handle_->elf = elf_begin(handle_->fd, ELF_C_READ, nullptr);
  if (handle_->elf == nullptr || elf_kind(handle_->elf) != ELF_K_ELF) {
    throw Refused(path_, kExpected, "a damaged ELF header");
  }
  read_segments();
  read_sections();
}

void ElfFile::read_segments() {
  std::size_t count = 0;
  if (elf_getphdrnum(handle_->elf, &count) != 0 || count == 0) {
    throw Refused(path_, "a loadable ELF file", "no program headers");
  }
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header{};
    if (gelf_getphdr(handle_->elf, static_cast<int>(i), &header) == nullptr) {
      throw Refused(path_, "a loadable ELF file", "a damaged program header");
    }
    if (header.p_type != PT_LOAD) continue;
    if (header.p_offset > file_bytes_ || header.p_filesz > file_bytes_ - header.p_offset) {
      throw Refused(path_, "a loadable ELF file", "one that is cut off: a segment ends behind the end of the file");
    }
    segments_.push_back({header.p_vaddr, header.p_offset, header.p_filesz, header.p_memsz});
  }
  if (segments_.empty()) throw Refused(path_, "a loadable ELF file", "nothing to load in it");
}

void ElfFile::read_sections() {
  Elf_Scn* section = nullptr;
  std::size_t seen = 0;
  while ((section = elf_nextscn(handle_->elf, section)) != nullptr) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr) throw Refused(path_, "an ELF file", "a damaged section header");
    ++seen;
    const std::size_t index = elf_ndxscn(section);
    if (header.sh_type == SHT_DYNSYM) read_symbols(index);
    if (header.sh_type == SHT_RELR) read_packed_relocations(index);
    if (header.sh_type == SHT_DYNAMIC) {
      Elf_Data* data = elf_getdata(section, nullptr);
      for (int i = 0; data != nullptr; ++i) {
        GElf_Dyn entry{};
        if (gelf_getdyn(data, i, &entry) == nullptr || entry.d_tag == DT_NULL) break;
        if (entry.d_tag == DT_TEXTREL) text_relocations_ = true;
        if (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL) != 0) text_relocations_ = true;
      }
    }
    if (header.sh_type == SHT_GNU_verneed) {
      Elf_Data* data = elf_getdata(section, nullptr);
      int offset = 0;
      GElf_Verneed need{};
      // Bounded: a chain of offsets in a made-up file may run in circles.
      for (unsigned links = 0; links < 1000 && data != nullptr && gelf_getverneed(data, offset, &need) != nullptr;
           ++links) {
        int inner = offset + static_cast<int>(need.vn_aux);
        GElf_Vernaux aux{};
        for (unsigned i = 0; i < need.vn_cnt && i < 1000 && gelf_getvernaux(data, inner, &aux) != nullptr; ++i) {
          const char* name = elf_strptr(handle_->elf, header.sh_link, aux.vna_name);
          if (name != nullptr && library_versions_.size() < 1000) library_versions_.emplace_back(name);
          if (aux.vna_next == 0) break;
          inner += static_cast<int>(aux.vna_next);
        }
        if (need.vn_next == 0) break;
        offset += static_cast<int>(need.vn_next);
      }
    }
  }
  if (seen == 0) throw Refused(path_, "an ELF file with section headers", "none (stripped too far)");
  read_relocations();
  std::sort(relocations_.begin(), relocations_.end(),
            [](const Relocation& a, const Relocation& b) { return a.address < b.address; });
  std::sort(exports_.begin(), exports_.end());
  std::sort(imports_.begin(), imports_.end());
  std::sort(library_versions_.begin(), library_versions_.end());
}

void ElfFile::read_symbols(std::size_t index) {
  Elf_Scn* section = elf_getscn(handle_->elf, index);
  GElf_Shdr header{};
  Elf_Data* data = elf_getdata(section, nullptr);
  if (gelf_getshdr(section, &header) == nullptr || data == nullptr || header.sh_entsize == 0) {
    throw Refused(path_, "an ELF file", "a damaged symbol table");
  }
  const std::size_t count = std::min<std::size_t>(data->d_size / sizeof(Elf64_Sym), kSymbolsMax);
  for (std::size_t i = 1; i < count; ++i) {
    GElf_Sym symbol{};
    if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
    const unsigned binding = GELF_ST_BIND(symbol.st_info);
    if (binding == STB_LOCAL) continue;
    const char* name = elf_strptr(handle_->elf, header.sh_link, symbol.st_name);
    if (name == nullptr) throw Refused(path_, "an ELF file", "a symbol without a name");
    if (symbol.st_shndx == SHN_UNDEF) {
      if (binding != STB_WEAK) imports_.emplace_back(name);
      continue;
    }
    const unsigned visibility = GELF_ST_VISIBILITY(symbol.st_other);
    if (visibility == STV_HIDDEN || visibility == STV_INTERNAL) continue;
    exports_.emplace_back(name);
  }
}

void ElfFile::read_relocations() {
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(handle_->elf, section)) != nullptr) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_RELA) continue;
    if ((header.sh_flags & SHF_ALLOC) == 0) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr) throw Refused(path_, "an ELF file", "a damaged relocation table");
    Elf_Scn* symbols = elf_getscn(handle_->elf, header.sh_link);
    Elf_Data* symbol_data = symbols == nullptr ? nullptr : elf_getdata(symbols, nullptr);
    const std::size_t count = data->d_size / sizeof(Elf64_Rela);
    if (count > kRelocationsMax) throw Refused(path_, "at most 4000000 relocations", std::to_string(count));
    for (std::size_t i = 0; i < count; ++i) {
      GElf_Rela entry{};
      if (gelf_getrela(data, static_cast<int>(i), &entry) == nullptr) break;
      const auto addend = static_cast<std::uint64_t>(entry.r_addend);
      const auto type = GELF_R_TYPE(entry.r_info);
      if (type == kRelative) {
        relocations_.push_back({entry.r_offset, addend});
      } else {
        GElf_Sym symbol{};
        const bool known = symbol_data != nullptr &&
                           gelf_getsym(symbol_data, static_cast<int>(GELF_R_SYM(entry.r_info)), &symbol) != nullptr;
        const bool inside = type == kAbsolute && known && symbol.st_shndx != SHN_UNDEF;
        relocations_.push_back({entry.r_offset, inside ? symbol.st_value + addend : kElsewhere});
      }
    }
  }
}

// Packed relative relocations (SHT_RELR): an even entry is the address of one, an odd entry is a bitmap over the 63
// words behind the last address. The value to relocate lies in the file at that address.
void ElfFile::read_packed_relocations(std::size_t index) {
  Elf_Data* data = elf_rawdata(elf_getscn(handle_->elf, index), nullptr);
  if (data == nullptr) throw Refused(path_, "an ELF file", "a damaged relocation table");
  const auto add = [&](std::uint64_t address) {
    std::uint64_t value = 0;
    if (relocations_.size() < kRelocationsMax && read(address, &value, sizeof value))
      relocations_.push_back({address, value});
  };
  std::uint64_t next = 0;
  for (std::size_t i = 0; i + sizeof(std::uint64_t) <= data->d_size; i += sizeof(std::uint64_t)) {
    std::uint64_t entry = 0;
    std::memcpy(&entry, static_cast<const char*>(data->d_buf) + i, sizeof entry);
    if ((entry & 1) == 0) {
      add(entry);
      next = entry + sizeof(std::uint64_t);
    } else {
      for (unsigned bit = 1; bit < 64; ++bit) {
        if (((entry >> bit) & 1) != 0) add(next + (bit - 1) * sizeof(std::uint64_t));
      }
      next += 63 * sizeof(std::uint64_t);
    }
  }
}

std::optional<std::uint64_t> ElfFile::note(std::string_view owner, std::uint32_t type, std::size_t bytes) const {
  Elf_Scn* section = nullptr;
  while ((section = elf_nextscn(handle_->elf, section)) != nullptr) {
    GElf_Shdr header{};
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_NOTE) continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    if (data == nullptr) continue;
    std::size_t offset = 0, name_at = 0, content_at = 0;
    GElf_Nhdr note{};
    while (offset < data->d_size && (offset = gelf_getnote(data, offset, &note, &name_at, &content_at)) > 0) {
      if (note.n_namesz != owner.size() + 1 || note.n_type != type || note.n_descsz < bytes) continue;
      if (std::memcmp(static_cast<const char*>(data->d_buf) + name_at, owner.data(), owner.size()) != 0) continue;
      return header.sh_addr + content_at;
    }
  }
  return std::nullopt;
}

std::uint64_t ElfFile::memory_bytes() const noexcept {
  std::uint64_t end = 0;
  for (const Segment& segment : segments_) end = std::max(end, segment.address + segment.memory_bytes);
  return end;
}

bool ElfFile::read(std::uint64_t address, void* to, std::size_t bytes) const {
  for (const Segment& segment : segments_) {
    if (address < segment.address || address - segment.address > segment.file_bytes) continue;
    const std::uint64_t inside = address - segment.address;
    if (bytes > segment.file_bytes - inside) continue;
    const auto offset = static_cast<off_t>(segment.offset + inside);
    return pread(handle_->fd, to, bytes, offset) == static_cast<ssize_t>(bytes);
  }
  return false;
}

std::optional<std::uint64_t> ElfFile::pointer(std::uint64_t address) const {
  const auto at = std::lower_bound(relocations_.begin(), relocations_.end(), address,
                                   [](const Relocation& r, std::uint64_t wanted) { return r.address < wanted; });
  if (at != relocations_.end() && at->address == address) return at->value;
  std::uint64_t raw = 0;
  if (!read(address, &raw, sizeof raw)) return std::nullopt;
  // Without a relocation only null means something: any other number would not be an address once it is loaded.
  return raw == 0 ? std::optional<std::uint64_t>(0) : std::nullopt;
}

std::optional<std::string> ElfFile::text(std::uint64_t address, std::size_t bytes_max) const {
  std::string out;
  std::array<char, 4096> chunk{};
  while (out.size() < bytes_max) {
    std::size_t wanted = std::min(chunk.size(), bytes_max - out.size());
    while (wanted > 0 && !read(address + out.size(), chunk.data(), wanted)) wanted /= 2;
    if (wanted == 0) return std::nullopt;
    const void* end = std::memchr(chunk.data(), 0, wanted);  // NOLINT(bugprone-not-null-terminated-result)
    if (end != nullptr) return out.append(chunk.data());
    out.append(chunk.data(), wanted);
  }
  return std::nullopt;
}

}  // namespace sluice
