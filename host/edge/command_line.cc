// The only file that knows CLI11: the words of command_syntax.hh, parsing, and what is said about a wrong command line.
#include "edge/command_line.hh"

#include "core/suggest.hh"
#include "edge/command_help.hh"
#include "edge/command_syntax.hh"

#include <CLI/CLI.hpp>

#include <cstdint>
#include <map>
#include <optional>

namespace sluice {

struct CommandSyntax::Grammar {
  CLI::App app{"sluice carries events from sources through consumers to backends, at least once.", "sluice"};
  std::map<const CLI::App*, std::function<Command()>> meanings;
};

CommandOption& CommandOption::shown_as(const char* type) { return option_->type_name(type), *this; }
CommandOption& CommandOption::required() { return option_->required(), *this; }
CommandOption& CommandOption::one_each_time() { return option_->allow_extra_args(false), *this; }
CommandOption& CommandOption::from_environment(const char* variable) { return option_->envname(variable), *this; }
CommandOption& CommandOption::excludes(const CommandOption& other) { return option_->excludes(other.option_), *this; }
CommandOption& CommandOption::needs(const CommandOption& other) { return option_->needs(other.option_), *this; }
CommandOption& CommandOption::one_of(const std::vector<std::string>& words) {
  return option_->check(CLI::IsMember(words)), *this;
}
template <class Number>
CommandOption& CommandOption::between(Number least, Number most) {
  return option_->check(CLI::Range(least, most)), *this;
}
template CommandOption& CommandOption::between(int, int);
template CommandOption& CommandOption::between(double, double);
template CommandOption& CommandOption::between(std::uint64_t, std::uint64_t);

CommandSyntax CommandSyntax::command(const std::string& name, const char* what, const char* footer) {
  CLI::App* made = app_->add_subcommand(name, what);
  made->footer(footer);
  return {*made, *grammar_};
}

void CommandSyntax::hidden_command(const std::string& name, std::function<Command(std::vector<std::string>)> meaning) {
  const CLI::App* made = app_->add_subcommand(name, "")->group("")->prefix_command();
  grammar_->meanings[made] = [made, meaning = std::move(meaning)] { return meaning(made->remaining()); };
}

template <class Value>
CommandOption CommandSyntax::option(const std::string& name, Value& into, const char* what) {
  return CommandOption(*app_->add_option(name, into, what));
}
template CommandOption CommandSyntax::option(const std::string&, std::string&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::uint32_t&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::uint64_t&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::vector<std::string>&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::vector<std::int64_t>&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::optional<std::string>&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::optional<std::int64_t>&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::optional<std::uint64_t>&, const char*);
template CommandOption CommandSyntax::option(const std::string&, std::optional<double>&, const char*);

CommandOption CommandSyntax::flag(const std::string& name, bool& into, const char* what) {
  return CommandOption(*app_->add_flag(name, into, what));
}

CommandOption CommandSyntax::each(const std::string& name, std::function<void(const std::string&)> take,
                                  const char* what) {
  const auto all = [name, take = std::move(take)](const std::vector<std::string>& words) {
    try {
      for (const std::string& word : words) take(word);
    } catch (const BadWords& bad) {
      throw CLI::ValidationError(name, bad.what);
    }
  };
  return CommandOption(*app_->add_option_function<std::vector<std::string>>(name, all, what)).one_each_time();
}

void CommandSyntax::takes_options_of_parent() { app_->fallthrough(); }

void CommandSyntax::means(std::function<Command()> make) { grammar_->meanings[app_] = std::move(make); }

namespace {

const CLI::App& deepest(const CLI::App& app) {
  const auto chosen = app.get_subcommands();
  return chosen.empty() ? app : deepest(*chosen.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? "sluice" : full_name(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> subcommand_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App* s) { return !s->get_group().empty(); })) {
    names.push_back(sub->get_name());
  }
  return names;
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* at = &app; at != nullptr; at = at->get_fallthrough() ? at->get_parent() : nullptr) {
    for (const CLI::Option* option : at->get_options()) {
      if (!option->get_lnames().empty()) names.push_back("--" + option->get_lnames().front());
    }
  }
  return names;
}

Answer wrong(const CLI::App& at, const std::string& what) {
  return {"sluice: " + what + "\nTry '" + full_name(at) + " --help'.\n", kUsage};
}

/// The first word that nobody wanted, with the word that was probably meant.
Answer unknown_word(const CLI::App& at, const std::string& word) {
  const bool option = word.size() > 1 && word.front() == '-';
  const auto names = option ? option_names(at) : subcommand_names(at);
  const std::string typed = option ? word.substr(0, word.find('=')) : word;
  const std::string meant = nearest(typed, names);
  const std::string group = at.get_parent() == nullptr ? "" : full_name(at).substr(7) + " ";
  std::string what = option          ? "unknown option '" + typed + "'"
                     : names.empty() ? "one argument too many: '" + word + "'"
                                     : "unknown command '" + group + word + "'";
  if (!meant.empty()) what += ": did you mean '" + meant + "'?";
  return wrong(at, what);
}

Answer usage_error(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& at = deepest(app);
  const auto left_over = app.remaining(true);
  const auto option = std::find_if(left_over.begin(), left_over.end(),
                                   [](const std::string& word) { return word.size() > 1 && word.front() == '-'; });
  if (option != left_over.end()) return unknown_word(at, *option);
  if (!left_over.empty()) return unknown_word(at, left_over.front());
  return wrong(at, error.what());
}

Command chosen_command(const CommandSyntax::Grammar& grammar) {
  const CLI::App& at = deepest(grammar.app);
  const auto meaning = grammar.meanings.find(&at);
  if (meaning == grammar.meanings.end()) {
    return wrong(at, "'" + full_name(at) + "' needs one of: " + CLI::detail::join(subcommand_names(at), ", "));
  }
  try {
    return meaning->second();
  } catch (const BadWords& bad) {
    return wrong(at, bad.what);
  }
}

void declare_all(CommandSyntax& top) {
  declare_run(top);
  declare_letters(top);
  declare_plugin(top);
  declare_event(top);
  declare_schema(top);
  declare_report(top);
  declare_spool(top);
  declare_alert(top);
  declare_emit(top);
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments, std::string_view version) {
  if (arguments.empty()) return Answer{help::kOverview};
  CommandSyntax::Grammar grammar;
  CLI::App& app = grammar.app;
  app.footer(help::kTop);
  app.set_version_flag("--version,-V", std::string(version), "Print the version");
  app.get_formatter()->column_width(34);
  CommandSyntax top(app, grammar);
  declare_all(top);

  std::vector<std::string> words = arguments;
  if (words.front() == "help") {  // `sluice help run` is `sluice run --help`
    words.erase(words.begin());
    words.emplace_back("--help");
  }
  try {
    std::reverse(words.begin(), words.end());  // CLI11 takes them last first
    app.parse(words);
    return chosen_command(grammar);
  } catch (const CLI::CallForHelp&) {
    return Answer{app.help()};
  } catch (const CLI::CallForVersion&) {
    return Answer{std::string(version) + "\n"};
  } catch (const CLI::ParseError& error) {
    return usage_error(app, error);
  }
}

}  // namespace sluice
