// sluice alert test, render, refused, silence.
#include "edge/command_help.hh"
#include "edge/commands/shared_options.hh"

namespace sluice {
namespace {

using What = AlertCommand::What;

void add_observer(CommandSyntax& command, AlertCommand& asked, What what) {
  asked.what = what;
  command.option("NODE", asked.node, "The observer's name in the configuration").required();
  add_config(command, asked.config, asked.settings);
}

void declare_silence(CommandSyntax& alert) {
  CommandSyntax silence =
      alert.command("silence", "Keep alerts quiet for a time, also in a host that runs.", help::kAlertSilence);
  const auto asked = std::make_shared<AlertCommand>();
  add_observer(silence, *asked, What::silence);
  CommandOption match = silence.option("--match", asked->match, "A label and its value; all given must fit")
                            .shown_as("LABEL=VALUE")
                            .one_each_time();
  CommandOption span = silence.option("--for", asked->span, "How long, such as 2h").shown_as("DURATION");
  match.needs(span);
  span.needs(match);
  silence.option("--comment", asked->comment, "Why").shown_as("TEXT");
  const CommandOption end = silence.option("--end", asked->end, "End this silence").shown_as("ID").excludes(match);
  silence.flag("--list", asked->list, "Print what was said so far").excludes(match).excludes(end);
  silence.means([asked] {
    if (asked->match.empty() && asked->end.empty() && !asked->list) {
      throw BadWords{"say what to do: --match LABEL=VALUE --for DURATION, --end ID, or --list"};
    }
    return Command(std::move(*asked));
  });
}

}  // namespace

void declare_alert(CommandSyntax& top) {
  CommandSyntax alert =
      top.command("alert", "Try, rehearse and silence the observers that send messages to people.", "");
  const auto part = [&](const char* name, What what, const char* text, const char* footer) {
    CommandSyntax made = alert.command(name, text, footer);
    add_observer(made, made.makes<AlertCommand>(), what);
  };
  part("test", What::test, "Send one message that says it is a test.", help::kAlertTest);
  part("render", What::render, "Print what would be sent for the events on standard input, and when.",
       help::kAlertRender);
  part("refused", What::refused, "Print the messages that the far side refused for good.", help::kAlertRefused);
  declare_silence(alert);
}

}  // namespace sluice
