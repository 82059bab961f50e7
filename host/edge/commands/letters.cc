// sluice dlq and replay: events of the past, once more.
#include "edge/command_help.hh"
#include "edge/commands/shared_options.hh"

#include <tuple>

namespace sluice {
namespace {

using What = DlqCommand::What;

/// Which letters are meant: the same words for all that can be done with them.
void add_choice(CommandSyntax& command, DlqCommand& asked) {
  command.option("NUMBER", asked.numbers, "Only these letters, by the numbers that list shows");
  add_event_filters(command, asked.types, asked.when_json);
  command.option("--since", asked.since, "Only letters that died at this time or later").shown_as("TIME");
  command.option("--until", asked.until, "Only letters that died before this time").shown_as("TIME");
  command.option("--node", asked.node, "Only letters that this backend gave up").shown_as("NODE");
  command.option("--reason", asked.reason, "Only letters with this text in their reason").shown_as("TEXT");
  command.option("--queue", asked.queue, "RabbitMQ: the queue that keeps them").shown_as("NAME");
  command.option("--limit", asked.limit, "At most so many, the oldest first").shown_as("N");
}

void declare_dlq(CommandSyntax& top) {
  CommandSyntax dlq = top.command("dlq", "Look at dead letters, send them again, or delete them.", help::kDlq);
  for (const auto& [what, name, text, footer] :
       {std::tuple{What::list, "list", "List dead letters.", help::kDlqList},
        std::tuple{What::show, "show", "Show letters whole, with their history.", help::kDlqShow},
        std::tuple{What::redrive, "redrive", "Send letters again.", help::kDlqRedrive},
        std::tuple{What::purge, "purge", "Delete letters for good.", help::kDlqPurge}}) {
    CommandSyntax one = dlq.command(name, text, footer);
    auto& asked = one.makes<DlqCommand>();
    asked.what = what;
    add_config(one, asked.config, asked.settings);
    add_choice(one, asked);
    if (what == What::purge) one.flag("--all", asked.all, "All letters: needed where nothing else chooses");
    if (what == What::redrive || what == What::purge) {
      one.flag("--dry-run", asked.dry_run, "Only say what would be done");
    }
    if (what != What::redrive) continue;
    one.option("--to", asked.to, "To this backend, not to the one that gave them up").shown_as("NODE");
    one.option("--rate", asked.rate, "No faster than this, e.g. 100/s").shown_as("N/s");
  }
}

void declare_replay(CommandSyntax& top) {
  CommandSyntax replay = top.command("replay", "Deliver past events once more.", help::kReplay);
  auto& past = replay.makes<ReplayCommand>();
  add_config(replay, past.config, past.settings);
  replay.option("--into", past.into, "The backend that gets the events").shown_as("NODE").required();
  replay.option("--source", past.sources, "Where the events are: files, a node of CONFIG, or redis|kafka|nats://…#NAME")
      .shown_as("FILE|NODE|URL");
  replay.option("--from", past.from, "Only events of this time or later").shown_as("TIME");
  replay.option("--to", past.to, "Only events before this time").shown_as("TIME");
  add_event_filters(replay, past.types, past.when_json);
  replay.option("--state", past.state, "File that keeps how far it is; the next call goes on there").shown_as("FILE");
  replay.option("--rate", past.rate, "No faster than this, e.g. 100/s").shown_as("N/s");
  replay.flag("--dry-run", past.dry_run, "Read and count, deliver nothing");
}

}  // namespace

void declare_letters(CommandSyntax& top) {
  declare_dlq(top);
  declare_replay(top);
}

}  // namespace sluice
