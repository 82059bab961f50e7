// Observer `metrics_sql`: one row per event that has what the columns ask for. Written in batches; while the database
// is away rows wait in a bounded buffer, and what does not fit is counted. See README.md.
#pragma once

#include "database.hh"
#include "row_buffer.hh"
#include "row_reader.hh"

#include <sluice/cpp/plugin.hh>

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sql {

class MetricsSql {
 public:
  MetricsSql(sluice::HostView host, sluice::ConfigView config);

  void start(std::chrono::milliseconds);
  sluice_status process(sluice::BatchView batch, std::uint8_t* verdict, sluice_writer* out, sluice_error& error);
  std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out);
  void stop(std::chrono::milliseconds);
  std::string summary() const;
  [[nodiscard]] std::span<const sluice_str> wanted_types() const noexcept { return wanted_; }

 private:
  [[nodiscard]] bool wanted(std::string_view type) const;
  [[nodiscard]] sluice_status commit(sluice::BatchView batch, sluice_error& error);
  void flush(std::uint64_t now_ns, std::size_t at_least);
  void write_some();
  void write_each(std::size_t count);
  void went_away(std::uint64_t now_ns, const char* reason, bool mismatch);
  void show();

  sluice::HostView host_;
  const Table table_;
  const std::vector<std::string> types_;
  std::vector<sluice_str> wanted_;  // over them, as patterns
  const std::size_t batch_rows_;
  const std::uint64_t flush_ns_;
  std::unique_ptr<Database> database_;
  RowReader reader_;
  RowBuffer buffer_;
  bool open_ = false;
  std::uint32_t failures_ = 0;
  std::uint64_t retry_at_ns_ = 0, oldest_ns_ = 0;
  std::uint64_t written_ = 0, repeated_ = 0, lost_ = 0, refused_ = 0, unfit_ = 0;
  sluice_cell *written_cell_, *repeated_cell_, *lost_cell_, *refused_cell_, *unfit_cell_, *waiting_cell_, *up_cell_;
};

}  // namespace sql
