// `sluice dlq` for dead letters in a Redis stream: read without a group, from its oldest entry to what is its newest.
#pragma once

#include "edge/dead_letter_store.hh"
#include "side_run.hh"

namespace sluice {

/// What the class redis_range needs of a backend's config to read back what that backend wrote.
[[nodiscard]] Value range_config(const NodeConfig& backend);

/// True when letters of this class can be read back.
[[nodiscard]] bool reads_letters_of(const NodeConfig& taker);

/// Lists, shows, redrives or purges what the backend `taker` took. The exit code.
[[nodiscard]] int stream_letters(const DlqCommand& command, const OpenConfig& open, const NodeConfig& taker,
                                 const LetterChoice& choice, Signals& signals);

}  // namespace sluice
