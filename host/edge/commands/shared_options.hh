// Options that several commands have, with one wording.
#pragma once

#include "edge/command_syntax.hh"

#include <string>
#include <vector>

namespace sluice {

/// --set PATH=VALUE
void add_settings(CommandSyntax& command, std::vector<Setting>& into);
/// --config FILE, required, and --set
void add_config(CommandSyntax& command, std::string& config, std::vector<Setting>& settings);
/// An option NAME=VALUE that may be given many times.
void add_named(CommandSyntax& command, const std::string& option, NamedTexts& into, const char* what);
/// --type and --when: which events of the past.
void add_event_filters(CommandSyntax& command, std::vector<std::string>& types, std::string& when);

}  // namespace sluice
