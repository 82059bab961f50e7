#include "edge/plugin_host.hh"

#include "core/limits.hh"
#include "core/node_health.hh"
#include "edge/once_keys.hh"
#include "edge/plugin_filters.hh"

#include <sluice/ext/health.h>
#include <sluice/cpp/utf8.hh>

#include <algorithm>
#include <cstring>
#include <deque>
#include <mutex>

namespace sluice {
namespace {

constexpr std::size_t kLogBytesMax = 4096;  // one line of a plugin

std::string_view view_of(sluice_str text) noexcept {
  return text.ptr == nullptr ? std::string_view() : std::string_view(text.ptr, text.len);
}

const char* sentence(PluginHost::Breach what) noexcept {
  switch (what) {
    case PluginHost::Breach::too_early:
      return "a call before the node was started";
    case PluginHost::Breach::after_destroy:
      return "a call after destroy() had returned";
    case PluginHost::Breach::text_too_long:
      return "an error text longer than its buffer";
    case PluginHost::Breach::bad_result:
      return "a result table that is too short";
    case PluginHost::Breach::unknown_status:
      return "a status that does not exist";
    case PluginHost::Breach::threw:
      return "an exception that left the plugin";
    case PluginHost::Breach::kinds:
      break;
  }
  return "something else";
}

void put_error(sluice_error* error, std::string_view text) noexcept {
  if (error == nullptr || error->text == nullptr) return;
  error->len = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), error->cap));
  std::memcpy(error->text, text.data(), error->len);
}

}  // namespace

PluginHost::PluginHost(const char* module, std::string node, std::uint32_t replica, std::uint32_t replicas,
                       const NodeServices& services)
    : sluice_host{},
      module_(module),
      name_(std::move(node)),
      log_(&services.log),
      clock_(&services.clock),
      metrics_(&services.metrics) {
  size = sizeof(sluice_host);
  abi_minor = SLUICE_ABI_MINOR;
  self = this;
  this->replica = replica;
  this->replicas = replicas;
  this->node = name_.c_str();
  service = &get_service;
  wake = &on_wake;
  complete = &on_complete;
  complete_each = &on_complete_each;
  explain = &on_explain;
  now_ns = &on_now_ns;
  log_level = &on_log_level;
  log = &on_log;
}

PluginHost& PluginHost::make(const char* module, std::string node, std::uint32_t replica, std::uint32_t replicas,
                             const NodeServices& services) {
  static std::mutex mutex;
  static std::deque<PluginHost*>& all = *new std::deque<PluginHost*>;  // never freed: see the top of the header
  auto* made = new PluginHost(module, std::move(node), replica, replicas, services);
  const std::lock_guard lock(mutex);
  return *all.emplace_back(made);
}

PluginHost& PluginHost::of(const sluice_host* table) noexcept { return *static_cast<PluginHost*>(table->self); }

void PluginHost::retire() noexcept {
  retired_.store(true, std::memory_order_release);
  events_.store(nullptr, std::memory_order_release);
  once_keys_.store(nullptr, std::memory_order_release);
}

void PluginHost::breach(Breach what, std::string_view where) noexcept {
  breaches_.fetch_add(1, std::memory_order_relaxed);
  const std::uint32_t bit = 1u << static_cast<unsigned>(what);
  if ((told_.fetch_or(bit, std::memory_order_relaxed) & bit) != 0) return;
  if (retired_.load(std::memory_order_acquire)) return;  // the log may be gone
  try {
    const Field fields[] = {{"node", name_}, {"module", module_}, {"call", std::string(where)}};
    log_->write(Level::error, std::string("Plugin broke the contract: ") + sentence(what), fields);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory; it is counted above
  }
}

NodeEvents* PluginHost::listener(std::string_view call) noexcept {
  NodeEvents* events = events_.load(std::memory_order_acquire);
  if (events == nullptr) {
    breach(retired_.load(std::memory_order_acquire) ? Breach::after_destroy : Breach::too_early, call);
  }
  return events;
}

const void* PluginHost::get_service(const sluice_host* table, const char* id) {
  static constexpr sluice_metrics kMetrics{sizeof(sluice_metrics), 0, &PluginHost::get_cell};
  if (id == nullptr) return nullptr;
  if (std::strcmp(id, SLUICE_METRICS) == 0) return &kMetrics;
  static constexpr sluice_health kHealth{sizeof(sluice_health), 0, &PluginHost::on_report};
  if (std::strcmp(id, SLUICE_HEALTH) == 0) return &kHealth;
  static constexpr sluice_once_keys kOnceKeys{sizeof(sluice_once_keys), 0, &PluginHost::on_recorded};
  if (std::strcmp(id, SLUICE_ONCE_KEYS) == 0) {
    return of(table).once_keys_.load(std::memory_order_acquire) == nullptr ? nullptr : &kOnceKeys;
  }
  return std::strcmp(id, SLUICE_FILTERS) == 0 ? &plugin_filters() : nullptr;
}

sluice_status PluginHost::on_recorded(const sluice_host* table, const sluice_str* values, std::uint32_t count,
                                      std::uint8_t* recorded, std::int32_t, sluice_error* error) {
  OnceKeys* keys = of(table).once_keys_.load(std::memory_order_acquire);
  if (keys == nullptr || values == nullptr || recorded == nullptr) return SLUICE_UNSUPPORTED;
  try {
    const Status status = keys->recorded({values, count}, recorded);
    if (!status.ok()) put_error(error, status.text);
    return status.code;
  } catch (const std::exception& e) {
    put_error(error, e.what());
    return SLUICE_FAILED;
  }
}

sluice_cell* PluginHost::get_cell(const sluice_host* table, std::int32_t kind, sluice_str name, sluice_str help,
                                  const sluice_str* labels, std::uint32_t label_count) {
  PluginHost& host = of(table);
  if (host.retired_.load(std::memory_order_acquire)) {
    host.breach(Breach::after_destroy, "cell");
    return nullptr;
  }
  constexpr std::uint32_t kLabelsMax = 16;
  if (label_count > kLabelsMax || (labels == nullptr && label_count > 0)) return nullptr;
  try {
    PluginMetrics::Labels pairs;
    for (std::uint32_t i = 0; i < label_count; ++i) {
      pairs.emplace_back(view_of(labels[2 * i]), clean_text(view_of(labels[2 * i + 1]), kLogBytesMax));
    }
    return host.metrics_->cell(host.name_, kind, view_of(name), clean_text(view_of(help), kLogBytesMax), pairs);
  } catch (const std::exception&) {
    return nullptr;
  }
}

void PluginHost::on_report(const sluice_host* table, sluice_status status, sluice_str reason) {
  if (status != SLUICE_OK && status != SLUICE_AWAY) return;
  // Before attach() nothing is shown yet: not a breach.
  auto* hears = dynamic_cast<NodeHealth*>(of(table).events_.load(std::memory_order_acquire));
  if (hears == nullptr) return;  // or it is no observer
  try {
    hears->report(status, clean_text(view_of(reason), limits::kReasonBytes));
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory, for a line of text
  }
}

void PluginHost::on_wake(const sluice_host* table) {
  // Before attach() there is nobody to wake, and nobody sleeps: not a breach.
  if (NodeEvents* events = of(table).events_.load(std::memory_order_acquire)) events->wake();
}

void PluginHost::on_complete(const sluice_host* table, std::uint64_t ticket, std::uint32_t count,
                             const sluice_result* result) {
  PluginHost& host = of(table);
  NodeEvents* events = host.listener("complete");
  if (events == nullptr) return;
  if (result == nullptr) return events->complete(ticket, count, nullptr);
  sluice_result checked{};
  checked.size = sizeof checked;
  checked.status = SLUICE_FAILED;
  if (SLUICE_HAS(result, sluice_result, reason)) {
    checked.retry_after_ms = result->retry_after_ms;
    checked.status = result->status;
    checked.code = result->code;
    checked.reason = {
        result->reason.ptr == nullptr ? "" : result->reason.ptr,
        result->reason.ptr == nullptr ? 0 : std::min<std::uint64_t>(result->reason.len, limits::kReasonBytes)};
  } else {
    host.breach(Breach::bad_result, "complete");
  }
  if (checked.status < SLUICE_OK || checked.status > SLUICE_AWAY) {
    host.breach(Breach::unknown_status, "complete");
    checked.status = SLUICE_FAILED;
  }
  events->complete(ticket, count, &checked);
}

void PluginHost::on_complete_each(const sluice_host* table, std::uint64_t ticket, std::uint32_t count,
                                  const std::uint8_t* status) {
  PluginHost& host = of(table);
  if (NodeEvents* events = host.listener("complete_each")) {
    if (status == nullptr) return host.breach(Breach::bad_result, "complete_each");
    events->complete_each(ticket, count, status);
  }
}

void PluginHost::on_explain(const sluice_host* table, std::uint32_t index, sluice_str reason) {
  if (NodeEvents* events = of(table).listener("explain")) {
    events->explain(index, view_of(reason).substr(0, limits::kReasonBytes));
  }
}

std::uint64_t PluginHost::on_now_ns(const sluice_host* table) {
  const PluginHost& host = of(table);
  if (NodeEvents* events = host.events_.load(std::memory_order_acquire)) return events->now_ns();
  return host.retired_.load(std::memory_order_acquire) ? 0 : host.clock_->now_ns();
}

std::int32_t PluginHost::on_log_level(const sluice_host* table) {
  const PluginHost& host = of(table);
  if (host.retired_.load(std::memory_order_acquire)) return SLUICE_LOG_ERROR + 1;
  for (std::int32_t level = SLUICE_LOG_DEBUG; level <= SLUICE_LOG_ERROR; ++level) {
    if (host.log_->enabled(static_cast<Level>(level))) return level;
  }
  return SLUICE_LOG_ERROR + 1;
}

void PluginHost::on_log(const sluice_host* table, std::int32_t level, sluice_str text) {
  PluginHost& host = of(table);
  if (host.retired_.load(std::memory_order_acquire)) return host.breach(Breach::after_destroy, "log");
  const auto known = static_cast<Level>(std::clamp<std::int32_t>(level, SLUICE_LOG_DEBUG, SLUICE_LOG_ERROR));
  if (!host.log_->enabled(known)) return;
  try {
    const Field fields[] = {{"node", host.name_}};
    host.log_->write(known, clean_text(view_of(text), kLogBytesMax), fields);
  } catch (const std::exception&) {  // NOLINT(bugprone-empty-catch): out of memory, for a line of log
  }
}

std::string clean_text(std::string_view text, std::size_t bytes_max) {
  text = text.substr(0, bytes_max);
  // A cut may fall into a character: its beginning goes too.
  for (int back = 0; back < 3 && !text.empty() && !valid_utf8(text); ++back) {
    if ((static_cast<unsigned char>(text.back()) & 0x80) == 0) break;
    if (text.size() < bytes_max && back == 0) break;
    text.remove_suffix(1);
  }
  std::string out(text);
  const bool valid = valid_utf8(out);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) c = ' ';
    if (!valid && byte >= 0x80) c = '?';
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

}  // namespace sluice
