// How a command and its options are declared (commands/*.cc), and what it means once it was typed. CLI11 does the work,
// inside command_line.cc alone; this has the words of it that our commands use.
#pragma once

#include "edge/command_line.hh"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace sluice {

/// Thrown by what takes words, with what is wrong with them. It becomes an Answer that says so.
struct BadWords {
  std::string what;
};

/// An option that was declared, or a word at a place of its own (CONFIG).
class CommandOption {
 public:
  explicit CommandOption(CLI::Option& option) : option_(&option) {}

  CommandOption& shown_as(const char* type);  // behind its name, in --help
  CommandOption& required();
  CommandOption& one_each_time();  // --x a --x b, never --x a b
  CommandOption& one_of(const std::vector<std::string>& words);
  template <class Number>
  CommandOption& between(Number least, Number most);
  CommandOption& from_environment(const char* variable);
  CommandOption& excludes(const CommandOption& other);
  CommandOption& needs(const CommandOption& other);

 private:
  CLI::Option* option_;
};

class CommandSyntax {
 public:
  struct Grammar;  // CLI11's application and what each command means

  CommandSyntax(CLI::App& app, Grammar& grammar) : app_(&app), grammar_(&grammar) {}

  CommandSyntax command(const std::string& name, const char* what, const char* footer);
  /// A command that --help does not show; it gets the words behind it unread.
  void hidden_command(const std::string& name, std::function<Command(std::vector<std::string>)> meaning);

  /// With or without a value, by the type of `into`: one that is a vector takes many. A name without dashes is a place.
  template <class Value>
  CommandOption option(const std::string& name, Value& into, const char* what);
  CommandOption flag(const std::string& name, bool& into, const char* what);
  /// May be given many times; `take` gets each word and throws BadWords.
  CommandOption each(const std::string& name, std::function<void(const std::string&)> take, const char* what);
  /// Options of the command above may stand behind this one's name, too.
  void takes_options_of_parent();

  /// What it is when it was typed, and nothing below it. `make` may throw BadWords. Without: it needs one of those
  /// below.
  void means(std::function<Command()> make);
  /// The simple case: a struct that the options fill. It lives as long as the grammar.
  template <class Asked>
  Asked& makes() {
    const auto asked = std::make_shared<Asked>();
    means([asked] { return Command(std::move(*asked)); });
    return *asked;
  }

 private:
  CLI::App* app_;
  Grammar* grammar_;
};

// One group of commands each, in commands/.
void declare_run(CommandSyntax& top);
void declare_letters(CommandSyntax& top);
void declare_plugin(CommandSyntax& top);
void declare_event(CommandSyntax& top);
void declare_schema(CommandSyntax& top);
void declare_report(CommandSyntax& top);
void declare_spool(CommandSyntax& top);
void declare_alert(CommandSyntax& top);
void declare_emit(CommandSyntax& top);

}  // namespace sluice
