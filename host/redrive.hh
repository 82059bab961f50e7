// `sluice dlq redrive`: letters of a local store go through the lanes of the backends that gave them up.
#pragma once

#include "edge/dead_letter_store.hh"
#include "side_run.hh"

namespace sluice {

/// The choice, as the config of the classes that choose. `node` narrows it to one that gave letters up.
[[nodiscard]] Value choice_config(const DlqCommand& command, const LetterChoice& choice, const std::string& node);

/// `store` is the open file of the node `store_node`. The exit code.
[[nodiscard]] int redrive(const DlqCommand& command, const OpenConfig& open, const NodeConfig& store_node,
                          DeadLetterStore& store, const LetterChoice& choice, Signals& signals);

}  // namespace sluice
