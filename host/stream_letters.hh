// `sluice dlq` for dead letters that another backend keeps: a Redis stream, a Kafka topic, a JetStream stream, a
// RabbitMQ queue, an event log. They are read from the oldest to what is the newest, by a reader of their own: nothing
// that production reads with is touched.
//
//                 list, show   redrive                          purge
//   Redis         reads        deletes what was delivered       deletes
//   JetStream     reads        deletes what was delivered       deletes
//   RabbitMQ      reads        acknowledges what was delivered  acknowledges
//   event log     reads        lists what was delivered         writes its files anew, while no host has it open
//   Kafka         reads        lists what was delivered         all or nothing
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
