#include "metrics_sql.hh"

#include <algorithm>

namespace sql {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint64_t kRetryMinNs = 200 * kMs, kRetryMaxNs = 10'000 * kMs;

std::unique_ptr<Database> make_database(const std::string& url, const Table& table) {
  constexpr std::string_view kSqlite = "sqlite:";
  if (url.starts_with(kSqlite)) {
    std::string path = url.substr(kSqlite.size());
    if (path.starts_with("//")) path.erase(0, 2);  // sqlite:///var/lib/x.db
    if (path.empty()) throw sluice::BadConfig("url: sqlite: needs a file, such as sqlite:out/metrics.db");
    return make_sqlite(std::move(path), table);
  }
#ifdef SLUICE_POSTGRES
  return make_postgres(url, table);
#else
  throw sluice::BadConfig("url: this build has no PostgreSQL (libpq was missing); sqlite:FILE works");
#endif
}

void count(sluice_cell* cell, std::uint64_t& total, std::uint64_t more) {
  total += more;
  sluice::add(cell, more);
}

}  // namespace

MetricsSql::MetricsSql(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      table_(table_from(config)),
      types_(config.texts("types")),
      batch_rows_(static_cast<std::size_t>(config.integer("batch_rows"))),
      flush_ns_(static_cast<std::uint64_t>(config.integer("flush_interval")) * kMs),
      database_(make_database(config.text("url"), table_)),
      reader_(table_),
      buffer_(static_cast<std::size_t>(config.integer("buffer_rows")),
              static_cast<std::size_t>(config.integer("buffer_bytes"))) {
  for (const std::string& type : types_) wanted_.push_back(sluice::str(type));
  const auto counter = [&](const char* name, const char* help) { return host_.cell(SLUICE_COUNTER, name, help); };
  written_cell_ = counter("sql_rows_written_total", "Rows that are in the table.");
  repeated_cell_ = counter("sql_rows_repeated_total", "Rows left out because their event has one already.");
  lost_cell_ = counter("sql_rows_lost_total", "Rows that did not fit into the buffer while the database was away.");
  refused_cell_ = counter("sql_rows_refused_total", "Rows with a value that the database refuses.");
  unfit_cell_ = counter("sql_events_without_row_total", "Events of the wanted types that lack a required column.");
  waiting_cell_ = host_.cell(SLUICE_GAUGE, "sql_rows_waiting", "Rows that wait to be written.");
  up_cell_ = host_.cell(SLUICE_GAUGE, "sql_database_up", "1 while the database can be reached.");
}

/// A table that does not fit is said at once; a database that is away is waited for with rows kept.
void MetricsSql::start(std::chrono::milliseconds) {
  try {
    database_->open();
    open_ = true;
  } catch (const Mismatch& error) {
    throw sluice::BadConfig(error.what());
  } catch (const Gone& error) {
    went_away(host_.now_ns(), error.what(), false);
  }
  show();
}

bool MetricsSql::wanted(std::string_view type) const {
  return types_.empty() || std::find(types_.begin(), types_.end(), type) != types_.end();
}

sluice_status MetricsSql::process(sluice::BatchView batch, std::uint8_t*, sluice_writer*, sluice_error& error) {
  if ((batch.flags() & SLUICE_KEPT) != 0) return commit(batch, error);
  const std::uint64_t now = host_.now_ns();
  for (const sluice::EventView event : batch) {
    if (!wanted(event.type())) continue;
    std::optional<Row> row = reader_.read(event);
    if (!row) {
      count(unfit_cell_, unfit_, 1);
      continue;
    }
    if (buffer_.size() == 0) oldest_ns_ = now;
    if (!buffer_.put(std::move(*row))) count(lost_cell_, lost_, 1);
    if (buffer_.size() >= batch_rows_) flush(now, batch_rows_);
  }
  show();
  return SLUICE_OK;
}

/// The host keeps the events until their rows are committed: nothing waits in memory. What was written of a batch that
/// comes again is left out by its key.
sluice_status MetricsSql::commit(sluice::BatchView batch, sluice_error& error) {
  const std::uint64_t now = host_.now_ns();
  std::uint64_t unfit = 0;
  const auto away = [&] {
    buffer_.drop(buffer_.size());
    show();
    sluice::put(&error, "the database is away");
    return SLUICE_AWAY;
  };
  if (!open_ && now < retry_at_ns_) return away();
  for (const sluice::EventView event : batch) {
    if (!wanted(event.type())) continue;
    std::optional<Row> row = reader_.read(event);
    if (!row) {
      ++unfit;
      continue;
    }
    if (buffer_.size() >= batch_rows_ || (buffer_.size() > 0 && !buffer_.fits(*row))) {
      flush(now, 1);
      if (buffer_.size() > 0) return away();
    }
    if (!buffer_.put(std::move(*row))) count(lost_cell_, lost_, 1);  // alone larger than buffer_bytes
  }
  if (buffer_.size() > 0) flush(now, 1);
  if (buffer_.size() > 0) return away();
  count(unfit_cell_, unfit_, unfit);
  show();
  return SLUICE_OK;
}

std::uint32_t MetricsSql::tick(std::uint64_t now_ns, sluice_writer*) {
  if (buffer_.size() > 0 && now_ns >= oldest_ns_ + flush_ns_) flush(now_ns, 1);
  show();
  if (buffer_.size() == 0) return 1000;
  const std::uint64_t due = std::max(oldest_ns_ + flush_ns_, open_ ? 0 : retry_at_ns_);
  return static_cast<std::uint32_t>(std::clamp<std::uint64_t>(due > now_ns ? (due - now_ns) / kMs : 0, 1, 1000));
}

/// Writes batch after batch while at least that many rows wait and the database takes them.
void MetricsSql::flush(std::uint64_t now_ns, std::size_t at_least) {
  if (!open_ && now_ns < retry_at_ns_) return;
  try {
    if (!open_) {
      database_->open();
      host_.log(SLUICE_LOG_INFO, "the database is there; " + std::to_string(buffer_.size()) + " rows waited");
    }
    open_ = true;
    failures_ = 0;
    while (buffer_.size() >= at_least) write_some();
    oldest_ns_ = now_ns;
  } catch (const Gone& error) {
    went_away(now_ns, error.what(), false);
  } catch (const Mismatch& error) {
    went_away(now_ns, error.what(), true);
  }
}

void MetricsSql::write_some() {
  const auto rows = buffer_.front(batch_rows_);
  try {
    const std::uint64_t fresh = database_->write(rows);
    count(written_cell_, written_, fresh);
    count(repeated_cell_, repeated_, rows.size() - fresh);
    buffer_.drop(rows.size());
  } catch (const Refused&) {
    write_each(rows.size());
  }
}

/// One refused value refuses its whole batch: the others are written one by one.
void MetricsSql::write_each(std::size_t rows) {
  for (std::size_t i = 0; i < rows; ++i) {
    try {
      const std::uint64_t fresh = database_->write(buffer_.front(1));
      count(written_cell_, written_, fresh);
      count(repeated_cell_, repeated_, 1 - fresh);
    } catch (const Refused& error) {
      if (refused_ == 0)
        host_.log(SLUICE_LOG_WARN, std::string("a row is refused (the others are counted): ") + error.what());
      count(refused_cell_, refused_, 1);
    }
    buffer_.drop(1);
  }
}

void MetricsSql::went_away(std::uint64_t now_ns, const char* reason, bool mismatch) {
  open_ = false;
  const std::uint64_t wait = std::min(kRetryMaxNs, kRetryMinNs << std::min<std::uint32_t>(failures_, 10));
  retry_at_ns_ = now_ns + wait;
  if (failures_++ == 0) {
    host_.log(
        mismatch ? SLUICE_LOG_ERROR : SLUICE_LOG_WARN,
        std::string(mismatch ? "rows wait until the table fits: " : "the database is away, rows wait: ") + reason);
  }
}

void MetricsSql::stop(std::chrono::milliseconds) {
  retry_at_ns_ = 0;
  if (buffer_.size() > 0) flush(host_.now_ns(), 1);
  if (buffer_.size() > 0) {
    const std::size_t left = buffer_.size();
    host_.log(SLUICE_LOG_WARN, std::to_string(left) + " rows were not written: the database is away at the end");
    count(lost_cell_, lost_, left);
    buffer_.drop(left);
  }
  database_->close();
  show();
}

void MetricsSql::show() {
  sluice::set(waiting_cell_, static_cast<double>(buffer_.size()));
  sluice::set(up_cell_, open_ ? 1 : 0);
}

std::string MetricsSql::summary() const {
  std::string text = table_.name + ": " + std::to_string(written_) + " rows written";
  const auto more = [&](std::uint64_t number, const char* what) {
    if (number > 0) text += ", " + std::to_string(number) + " " + what;
  };
  more(repeated_, "repeated");
  more(unfit_, "events without a required column");
  more(refused_, "refused by the database");
  more(lost_, "lost");
  return text + "\n";
}

}  // namespace sql
