#include "edge/process_facts.hh"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace sluice {
namespace {

double boot_time_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string word; file >> word;) {
    double seconds = 0;
    if (word == "btime" && file >> seconds) return seconds;
  }
  return 0;
}

/// /proc/self/stat behind the program's name, which may hold spaces and brackets: field 3 of proc(5) is [0].
std::vector<std::string> stat_fields() {
  std::ifstream file("/proc/self/stat");
  std::string all;
  std::getline(file, all);
  const std::size_t name_end = all.rfind(')');
  if (name_end == std::string::npos) return {};
  std::istringstream rest(all.substr(name_end + 1));
  std::vector<std::string> fields;
  for (std::string field; rest >> field;) fields.push_back(field);
  return fields;
}

}  // namespace

ProcessFacts read_process_facts() {
  ProcessFacts facts;
  if (const auto fields = stat_fields(); fields.size() > 21) {
    const auto number = [&](std::size_t field) { return std::strtod(fields[field - 3].c_str(), nullptr); };
    const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
    facts.cpu_seconds = (number(14) + number(15)) / ticks;
    facts.start_time_seconds = boot_time_seconds() + number(22) / ticks;
    facts.virtual_bytes = static_cast<std::uint64_t>(number(23));
    facts.resident_bytes = static_cast<std::uint64_t>(number(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc/self/fd", error), end; !error && entry != end;
       entry.increment(error)) {
    ++facts.open_fds;
  }
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) facts.max_fds = limit.rlim_cur;
  return facts;
}

}  // namespace sluice
