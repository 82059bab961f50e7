// Exit codes; users script against them (DESIGN section 7).
#pragma once

namespace sluice {

enum ExitCode : int {
  kClean = 0,
  kUndelivered = 1,  // events left undelivered at the drain deadline
  kHalted = 3,       // a consumer stopped the run
  kUsage = 64,
  kPluginCrashed = 70,
  kBadConfig = 78,
};

}  // namespace sluice
