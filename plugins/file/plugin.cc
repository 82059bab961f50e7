// Module file: events from files of lines, and a log of events in one.
#include "event_log.hh"
#include "file_source.hh"

extern "C" const char file_schema_json[];
extern "C" const char event_log_schema_json[];

SLUICE_MODULE(sluice::source<file_plugin::FileSource>({.name = "file",
                                                       .version = "1.0.0",
                                                       .summary = "Events from files, one per line, with a checkpoint.",
                                                       .schema = file_schema_json,
                                                       .flags = SLUICE_IN_ORDER}),
              sluice::backend<file_plugin::EventLog>({.name = "event_log",
                                                      .version = "1.0.0",
                                                      .summary = "Appends events to a file, one JSON line each.",
                                                      .schema = event_log_schema_json}))
