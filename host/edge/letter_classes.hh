// Classes of the host for dead letters that lie in a stream instead of the local store: letter_choice picks those that
// are meant and makes them the events that they were, letter_printer shows them. Where a single letter cannot be
// deleted (Kafka, a log file), a list beside the configuration says which were sent again.
#pragma once

#include "core/uuid.hh"
#include "edge/dead_letter_store.hh"

#include <sluice/cpp/plugin.hh>

#include <cstdint>
#include <fstream>
#include <string>
#include <unordered_map>
#include <unordered_set>

namespace sluice {

/// An inline consumer. What is not chosen is dropped, and so stays where it is.
class ChooseLetters {
 public:
  static const char* const kSchema;

  ChooseLetters(HostView host, ConfigView config);
  sluice_status process(BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);
  void settled(const std::uint64_t* seq, const std::uint8_t* outcome, std::uint32_t count);

 private:
  [[nodiscard]] bool chosen(const sluice_event& event) const;
  [[nodiscard]] std::string name_of(const sluice_event& event);

  LetterChoice choice_;
  bool redrive_;  // the event goes on as it was, with its count of redrives
  bool keep_;     // the other way round: what is to stay goes on, as it is
  bool note_done_;
  std::string done_path_;
  NameHash hash_;
  std::unordered_set<std::string> done_;                       // letters that were sent again
  std::unordered_map<std::uint64_t, std::string> on_the_way_;  // by seq
  std::ofstream done_file_;
  std::uint64_t found_ = 0;
  BlockPool blocks_;
  EventWriter writer_;
};

/// A backend that writes to standard output.
class PrintLetters {
 public:
  static const char* const kSchema;

  PrintLetters(HostView host, ConfigView config);
  sluice_status publish(BatchView batch, std::uint32_t& taken);

 private:
  HostView host_;
  std::string store_;
  bool whole_;
  std::int64_t shown_ = 0;
  BlockPool blocks_;
  EventWriter writer_;
};

}  // namespace sluice
