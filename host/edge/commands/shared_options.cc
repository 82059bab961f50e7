#include "edge/commands/shared_options.hh"

#include <utility>

namespace sluice {
namespace {

std::pair<std::string, std::string> split(const std::string& text, const char* shape) {
  const std::size_t at = text.find('=');
  if (at == 0 || at == std::string::npos) {
    throw BadWords{"expected " + std::string(shape) + ", got '" + text + "'"};
  }
  return {text.substr(0, at), text.substr(at + 1)};
}

}  // namespace

void add_settings(CommandSyntax& command, std::vector<Setting>& into) {
  command
      .each(
          "--set",
          [&into](const std::string& text) {
            auto [path, value] = split(text, "path=value");
            into.push_back({std::move(path), std::move(value)});
          },
          "Set one value of the configuration, after reading it. May be given many times")
      .shown_as("PATH=VALUE");
}

void add_config(CommandSyntax& command, std::string& config, std::vector<Setting>& settings) {
  command.option("--config", config, "The configuration, a YAML file").shown_as("FILE").required();
  add_settings(command, settings);
}

void add_named(CommandSyntax& command, const std::string& option, NamedTexts& into, const char* what) {
  command
      .each(
          option, [&into](const std::string& text) { into.push_back(split(text, "name=value")); }, what)
      .shown_as("NAME=VALUE");
}

void add_event_filters(CommandSyntax& command, std::vector<std::string>& types, std::string& when) {
  command.option("--type", types, "Only events whose type matches; * stands for any text. May be given many times")
      .shown_as("GLOB")
      .one_each_time();
  command.option("--when", when, "Only events that pass this filter, an object as behind when: in a configuration")
      .shown_as("JSON");
}

}  // namespace sluice
