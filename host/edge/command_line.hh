// The command line as a value: what the user asked for, one struct per command. Parsing does nothing else: it opens no
// file and prints nothing, so that main.cc alone decides what happens (DESIGN section 7).
#pragma once

#include "core/exit_code.hh"
#include "edge/emit_event.hh"
#include "edge/report_command.hh"
#include "edge/schema_commands.hh"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace sluice {

/// `--set backends.stream.config.url=redis://…`: a place in the configuration and the value that it gets.
struct Setting {
  std::string path, value;
};

struct RunCommand {
  std::string config;
  bool standard_input = false;  // --stdin
  std::vector<Setting> settings;
};
struct CheckCommand {
  std::vector<std::string> configs;
  std::vector<Setting> settings;
};
struct GraphCommand {
  enum class Format : std::uint8_t { text, dot, mermaid } format = Format::text;
  std::string config;
  std::vector<Setting> settings;
};

/// Which dead letters are meant; times as they were typed (core/moment.hh).
struct DlqCommand {
  enum class What : std::uint8_t { list, show, redrive, purge } what = What::list;
  std::string config;
  std::vector<Setting> settings;
  std::vector<std::int64_t> numbers;
  std::vector<std::string> types;  // globs
  std::string since, until, node, reason, when_json;
  std::uint64_t limit = 0;  // 0 = all
  std::string queue;        // of RabbitMQ, where the letters lie
  std::string to;           // redrive: another backend than the one that gave up
  std::string rate;         // redrive: "100/s"
  bool dry_run = false;
  bool all = false;  // purge: without any filter
};
struct ReplayCommand {
  std::string config;
  std::vector<Setting> settings;
  std::vector<std::string> types, sources;
  std::string from, to, when_json, into, state, rate;
  bool dry_run = false;
};

struct PluginListCommand {
  std::vector<std::string> path;  // empty: where a run would look
};
struct PluginExplainCommand {
  std::string klass;
  std::vector<std::string> path;
};
struct PluginCheckCommand {
  std::string file;
  std::optional<std::uint64_t> seed;  // nothing: a fresh one, which is printed
  std::chrono::seconds timeout{30};   // for each test
};
/// What `plugin check` runs in a process of its own; hidden from --help. The arguments are passed through unread.
struct PluginCheckOneCommand {
  std::vector<std::string> arguments;
};
struct PluginNewCommand {
  std::string kind;  // source | consumer | backend
  std::string name, folder;
};

struct EventCheckCommand {
  enum class Shape : std::uint8_t { lines, one, batch } shape = Shape::lines;
  std::string file;  // empty: standard input
};
struct EventMatchCommand {
  std::string filter_json;
  std::string file;  // empty: standard input
};
struct EventEvalCommand {
  std::string sql;
  std::string file;  // empty: standard input
};
struct SchemaCheckCommand {
  SchemaCheckOptions options;
};
struct SpoolCommand {
  enum class What : std::uint8_t { ls, fsck, cat } what = What::ls;
  std::vector<std::string> paths;
  std::string config;  // its spools as well; empty: none
  std::vector<Setting> settings;
  bool all = false, rejected = false;  // cat
};
/// `sluice alert`: an observer that sends messages to people, by its name.
struct AlertCommand {
  enum class What : std::uint8_t { test, render, silence, refused } what = What::test;
  std::string node, config;
  std::vector<Setting> settings;
  std::vector<std::string> match;  // silence: label=value
  std::string span, comment, end;  // silence: how long, why; or the id of one to end
  bool list = false;
};
struct EmitCommand {
  EmitRequest request;
};

/// Nothing to do but to print: help, version, or what is wrong with the command line.
struct Answer {
  std::string text;  // ends with a line end
  int exit_code = kClean;
  [[nodiscard]] bool to_stderr() const noexcept { return exit_code != kClean; }
};

using Command = std::variant<Answer, RunCommand, CheckCommand, DlqCommand, ReplayCommand, GraphCommand,
                             PluginListCommand, PluginExplainCommand, PluginCheckCommand, PluginCheckOneCommand,
                             PluginNewCommand, EventCheckCommand, EventMatchCommand, EventEvalCommand,
                             SchemaCheckCommand, ReportCommand, SpoolCommand, AlertCommand, EmitCommand>;

/// `arguments` without the program's name; `version` is what --version prints. Never throws for what a user typed.
[[nodiscard]] Command parse_command_line(const std::vector<std::string>& arguments, std::string_view version);

}  // namespace sluice
