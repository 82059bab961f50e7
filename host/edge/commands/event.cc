// sluice event check, match, eval.
#include "edge/command_help.hh"
#include "edge/command_syntax.hh"

namespace sluice {
namespace {

void declare_check(CommandSyntax& event) {
  CommandSyntax check =
      event.command("check", "Say whether each event is a valid CloudEvent, and if not, why.", help::kEventCheck);
  struct Shaped {
    EventCheckCommand asked;
    bool one = false, batch = false;
  };
  const auto shaped = std::make_shared<Shaped>();
  const CommandOption one = check.flag("--one", shaped->one, "The whole input is one event");
  check.flag("--batch", shaped->batch, "The whole input is one JSON batch: an array of events").excludes(one);
  check.option("FILE", shaped->asked.file, "The events; standard input when left out");
  check.means([shaped] {
    using Shape = EventCheckCommand::Shape;
    shaped->asked.shape = shaped->one ? Shape::one : shaped->batch ? Shape::batch : Shape::lines;
    return Command(std::move(shaped->asked));
  });
}

}  // namespace

void declare_event(CommandSyntax& top) {
  CommandSyntax event = top.command("event", "Check events, or try a filter on them.", "");
  declare_check(event);

  CommandSyntax match = event.command("match", "Say whether a filter would pass each event.", help::kEventMatch);
  auto& matching = match.makes<EventMatchCommand>();
  match.option("--filter", matching.filter_json, "A filter object, or an array of them").shown_as("JSON").required();
  match.option("FILE", matching.file, "The events, one per line; standard input when left out");

  CommandSyntax eval = event.command("eval", "Say what a CESQL expression is for each event.", help::kEventEval);
  auto& asking = eval.makes<EventEvalCommand>();
  eval.option("--sql", asking.sql, "The expression").shown_as("EXPR").required();
  eval.option("FILE", asking.file, "The events, one per line; standard input when left out");
}

}  // namespace sluice
