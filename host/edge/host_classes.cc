#include "edge/host_classes.hh"

#include "edge/dead_letter_backend.hh"
#include "edge/dead_letter_source.hh"

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
                                .schema = DeadLetterSource::kSchema})};
  static const auto kPointers = pointers_to(kClasses);
  static const sluice_module kModule{sizeof(sluice_module), SLUICE_ABI_MINOR, 0,
                                     static_cast<std::uint32_t>(kPointers.size()), kPointers.data()};
  library.add_built_in("the host", &kModule);
}

}  // namespace sluice
