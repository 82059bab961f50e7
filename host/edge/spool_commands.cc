#include "edge/spool_commands.hh"

#include "core/dead_letter.hh"
#include "core/setup_error.hh"
#include "core/units.hh"
#include "edge/config_loader.hh"
#include "edge/json_text.hh"
#include "edge/spool_files.hh"
#include "edge/spool_view.hh"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <ostream>

namespace sluice {
namespace {

namespace fs = std::filesystem;

std::string shown(std::string_view text) {
  std::string out;
  append_plain(out, text);
  return out;
}

std::vector<std::string> folders_of_config(const SpoolCommand& command) {
  LoadOptions options{command.config, false, {}};
  for (const Setting& setting : command.settings) options.sets.push_back(setting.path + "=" + setting.value);
  Problems problems;
  const Config config = read_config(options, problems);
  std::vector<std::string> folders;
  for (const NodeConfig& node : config.nodes) {
    // A consumer's class is not known here, and so not whether its queue is on disk unless the node says it.
    const bool maybe = node.kind == NodeKind::consumer && node.queue_kind != ObserverQueue::durable;
    if (node.queue_kind == ObserverQueue::lossy) continue;
    if (!node.delivery.spool.on() || (maybe && !fs::exists(node.delivery.spool.path))) continue;
    folders.push_back(node.delivery.spool.path);
  }
  if (has_errors(problems)) {
    const auto first = std::ranges::find(problems, Severity::error, &Problem::severity);
    throw SetupError(to_line(*first));
  }
  if (folders.empty())
    throw SetupError(command.config + ": no backend has a delivery.spool, and no observer a durable queue on disk",
                     kUsage);
  return folders;
}

// ---- ls ----

struct SegmentFigures {
  std::uint64_t records = 0, open = 0, damaged = 0;
  std::int64_t oldest_unix_ns = 0;  // of the open ones
  HeaderState header = HeaderState::good;
};

SegmentFigures figures_of(const SpoolView& spool, const SpoolFileFacts& segment) {
  SegmentFigures figures;
  SegmentSight sight;
  sight.record = [&](const SpoolRecord& record) {
    ++figures.records;
    if (spool.cursor.is_completed(record.number)) return;
    if (figures.open++ == 0) figures.oldest_unix_ns = record.first_unix_ns;
  };
  sight.damage = [&](std::uint64_t, std::uint64_t) { ++figures.damaged; };
  figures.header = walk_segment(spool, segment, sight);
  return figures;
}

std::string time_or_dash(std::int64_t unix_ns) { return unix_ns == 0 ? "-" : timestamp_text(unix_ns); }

std::uint64_t lines_in(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::uint64_t lines = 0;
  for (std::string line; std::getline(in, line);) lines += line.empty() ? 0 : 1;
  return lines;
}

void list(const SpoolView& spool, std::ostream& out) {
  std::vector<SegmentFigures> figures;
  SegmentFigures all;
  std::uint64_t bytes = 0;
  for (const SpoolFileFacts& segment : spool.segments) {
    const SegmentFigures of = figures.emplace_back(figures_of(spool, segment));
    if (all.open == 0) all.oldest_unix_ns = of.oldest_unix_ns;
    all.records += of.records;
    all.open += of.open;
    bytes += segment.bytes;
  }
  out << shown(spool.folder) << ": " << all.open << " open of " << all.records << " records, " << bytes
      << " bytes, oldest " << time_or_dash(all.oldest_unix_ns) << ", position " << spool.cursor.low()
      << (spool.owner.empty() ? "" : ", in use by process " + shown(spool.owner)) << '\n';
  if (!spool.segments.empty()) {
    out << "  " << std::left << std::setw(24) << "segment" << std::right << std::setw(10) << "records" << std::setw(10)
        << "open" << std::setw(12) << "bytes"
        << "  " << std::left << std::setw(24) << "oldest open"
        << "  state\n";
  }
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const SegmentFigures& of = figures[i];
    const bool damaged = of.damaged > 0 || of.header == HeaderState::damaged;
    out << "  " << std::left << std::setw(24) << segment_name(spool.segments[i].first) << std::right << std::setw(10)
        << of.records << std::setw(10) << of.open << std::setw(12) << spool.segments[i].bytes << "  " << std::left
        << std::setw(24) << time_or_dash(of.oldest_unix_ns) << "  "
        << (of.header == HeaderState::other_version ? "another version"
            : damaged                               ? "damaged, see fsck"
                                                    : "ok")
        << '\n';
  }
  if (const std::uint64_t lines = lines_in(spool.folder + "/" + kSpoolRejectedName); lines > 0) {
    out << "  " << lines << " rejected events are kept in " << kSpoolRejectedName << '\n';
  }
  for (const std::string& name : spool.aside) out << "  " << shown(name) << ": damaged, kept aside\n";
}

// ---- fsck ----

/// What is wrong with one spool, in lines.
class Examination {
 public:
  Examination(const SpoolView& spool, std::ostream& out) : spool_(spool), out_(out) {}

  bool good() {
    if (spool_.cursor_there && !spool_.cursor_good) {
      wrong(kSpoolCursorName, "is damaged: everything in the spool would be delivered again");
    }
    for (std::size_t i = 0; i < spool_.segments.size(); ++i) examine(i);
    if (problems_ > 0) return false;
    out_ << shown(spool_.folder) << ": ok, " << records_ << " records in " << spool_.segments.size() << " segments\n";
    return true;
  }

 private:
  void examine(std::size_t index) {
    const SpoolFileFacts& segment = spool_.segments[index];
    const bool last = index + 1 == spool_.segments.size();
    const std::string name = segment_name(segment.first);
    std::uint64_t expected = segment.first;
    SegmentSight sight;
    sight.record = [&](const SpoolRecord& record) {
      if (record.number > expected) missing(name, expected, record.number);
      expected = record.number + 1;
      ++records_;
    };
    sight.damage = [&](std::uint64_t from, std::uint64_t to) {
      const bool tail = last && to == segment.bytes;
      wrong(name, "bytes " + std::to_string(from) + " to " + std::to_string(to) +
                      (tail ? " are an unfinished write" : " hold no whole record") +
                      (tail && !spool_.owner.empty() ? ", perhaps of this moment: the spool is in use" : ""));
    };
    const HeaderState header = walk_segment(spool_, segment, sight);
    if (header == HeaderState::damaged) wrong(name, "its header is damaged");
    if (header == HeaderState::other_version) wrong(name, "was written by a program of another version");
    if (!last && header != HeaderState::other_version && expected < spool_.segments[index + 1].first) {
      missing(name, expected, spool_.segments[index + 1].first);
    }
  }

  /// Records that are not there and were not completed.
  void missing(const std::string& name, std::uint64_t from, std::uint64_t to) {
    const std::uint64_t open = spool_.cursor.open_in(from, to);
    if (open == 0) return;
    wrong(name, std::to_string(open) + " records between number " + std::to_string(from) + " and " +
                    std::to_string(to - 1) + " are missing");
  }
  void wrong(const std::string& name, const std::string& what) {
    ++problems_;
    out_ << shown(spool_.folder) << "/" << name << ": " << what << '\n';
  }

  const SpoolView& spool_;
  std::ostream& out_;
  std::uint64_t problems_ = 0, records_ = 0;
};

// ---- cat ----

void print(const SpoolView& spool, bool all, std::ostream& out) {
  SegmentSight sight;
  sight.record = [&](const SpoolRecord& record) {
    if (!all && spool.cursor.is_completed(record.number)) return;
    std::string line(record.json);  // an event's JSON may have line breaks between its tokens, never inside them
    std::ranges::replace_if(
        line, [](char c) { return c == '\n' || c == '\r'; }, ' ');
    out << line << '\n';
  };
  for (const SpoolFileFacts& segment : spool.segments) (void)walk_segment(spool, segment, sight);
}

void print_rejected(const SpoolView& spool, std::ostream& out) {
  std::ifstream in(spool.folder + "/" + kSpoolRejectedName, std::ios::binary);
  for (std::string line; std::getline(in, line);) {
    if (!line.empty()) out << line << '\n';
  }
}

}  // namespace

std::vector<std::string> spool_folders(const SpoolCommand& command) {
  std::vector<std::string> named = command.paths;
  if (!command.config.empty()) {
    for (std::string& folder : folders_of_config(command)) named.push_back(std::move(folder));
  }
  if (named.empty()) throw SetupError("name a spool's folder, or --config CONFIG", kUsage);
  std::vector<std::string> folders;
  for (const std::string& name : named) {
    std::error_code error;
    if (is_spool(name)) {
      folders.push_back(name);
      continue;
    }
    const std::size_t before = folders.size();
    for (fs::directory_iterator at(name, error), end; !error && at != end; at.increment(error)) {
      if (at->is_directory(error) && is_spool(at->path().string())) folders.push_back(at->path().string());
    }
    if (folders.size() == before) {
      throw SetupError(name + ": " + (error ? error.message() : std::string("is no spool, and holds none")), kUsage);
    }
    std::sort(folders.begin() + static_cast<std::ptrdiff_t>(before), folders.end());
  }
  return folders;
}

int spool_command(const SpoolCommand& command, std::ostream& out, std::ostream& err) {
  int code = kClean;
  for (const std::string& folder : spool_folders(command)) {
    const SpoolView spool = look_at_spool(folder);
    switch (command.what) {
      case SpoolCommand::What::ls:
        list(spool, out);
        break;
      case SpoolCommand::What::fsck:
        if (!Examination(spool, out).good()) code = 1;
        break;
      case SpoolCommand::What::cat:
        if (command.rejected) {
          print_rejected(spool, out);
        } else {
          print(spool, command.all, out);
        }
        break;
    }
  }
  if (!out.flush()) {
    err << "sluice: cannot write the output\n";
    return 1;
  }
  return code;
}

}  // namespace sluice
