#include "edge/host_classes.hh"

#include "edge/dead_letter_backend.hh"
#include "edge/dead_letter_source.hh"
#include "edge/letter_classes.hh"
#include "edge/replay_classes.hh"

namespace sluice {

void add_host_classes(PluginLibrary& library) {
  static const sluice_class kClasses[] = {
      backend<DeadLetterBackend>({.name = "dead_letter_store",
                                  .version = "1.0.0",
                                  .summary = "Keeps dead letters in a local file, for sluice dlq.",
                                  .schema = DeadLetterBackend::kSchema}),
      source<DeadLetterSource>({.name = "dead_letters",
                                .version = "1.0.0",
                                .summary = "Reads letters out of a local dead-letter store, for sluice dlq redrive.",
                                .schema = DeadLetterSource::kSchema}),
      consumer<TimeWindow>({.name = "time_window",
                            .version = "1.0.0",
                            .summary = "Lets the events of a span of time pass, for sluice replay.",
                            .schema = TimeWindow::kSchema,
                            .flags = SLUICE_REENTRANT}),
      consumer<ChooseLetters>({.name = "letter_choice",
                               .version = "1.0.0",
                               .summary = "Picks dead letters out of a stream, for sluice dlq.",
                               .schema = ChooseLetters::kSchema,
                               .flags = SLUICE_EMITS}),
      backend<PrintLetters>({.name = "letter_printer",
                             .version = "1.0.0",
                             .summary = "Prints dead letters, for sluice dlq.",
                             .schema = PrintLetters::kSchema}),
      backend<DryRun>({.name = "dry_run",
                       .version = "1.0.0",
                       .summary = "Takes events and does nothing with them, for sluice replay --dry-run.",
                       .schema = DryRun::kSchema})};
  static const auto kPointers = pointers_to(kClasses);
  static const sluice_module kModule{sizeof(sluice_module), SLUICE_ABI_MINOR, 0,
                                     static_cast<std::uint32_t>(kPointers.size()), kPointers.data()};
  library.add_built_in("the host", &kModule);
}

}  // namespace sluice
