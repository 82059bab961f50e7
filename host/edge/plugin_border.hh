// The one place where the host steps into a plugin: exceptions stop here, statuses are checked, texts are cleaned, and
// the crash report knows where we are. Shared by everything that drives a plugin's node.
#pragma once

#include "core/limits.hh"
#include "core/ports.hh"
#include "edge/crash_report.hh"
#include "edge/plugin_config.hh"
#include "edge/plugin_host.hh"
#include "edge/plugin_library.hh"
#include "edge/plugin_node.hh"

#include <sluice/ext/input_size.h>
#include <sluice/ext/summary.h>
#include <sluice/ext/wants.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <string>

namespace sluice {

inline constexpr std::uint32_t kSummaryBytes = 64 * 1024;

inline std::int32_t to_ms(std::chrono::milliseconds timeout) noexcept {
  const auto most = static_cast<std::int64_t>(std::numeric_limits<std::int32_t>::max());
  return static_cast<std::int32_t>(std::clamp<std::int64_t>(timeout.count(), 0, most));
}

/// The buffer that a plugin writes its error text into. Not cleared: only `len` bytes of it are ever read.
class ErrorText {
 public:
  ErrorText() noexcept : error_{sizeof(sluice_error), limits::kErrorBytes, 0, 0, text_} {}
  [[nodiscard]] sluice_error* out() noexcept { return &error_; }
  [[nodiscard]] bool empty() const noexcept { return error_.len == 0; }
  void read(PluginHost& host, const char* call, std::string& to) const {
    if (error_.len > limits::kErrorBytes) host.breach(PluginHost::Breach::text_too_long, call);
    to = clean_text({text_, std::min(error_.len, limits::kErrorBytes)}, limits::kErrorBytes);
  }

 private:
  char text_[limits::kErrorBytes];
  sluice_error error_;
};

/// What the three kinds share: the table's common calls, and the way into the plugin.
class Border {
 public:
  Border(const LoadedClass& loaded, PluginHost& host, const NodeServices& services) noexcept
      : table_(loaded.table), host_(host), metrics_(services.metrics) {
    metrics_.add_user(host_.node_name());
  }
  ~Border() {
    threw_ = false;  // destroy() comes whatever happened: it ends the plugin's threads
    if (node_ != nullptr) call_void("destroy", [&] { table_->destroy(node_); });
    host_.retire();
    metrics_.remove_user(host_.node_name());
  }
  Border(const Border&) = delete;
  Border& operator=(const Border&) = delete;

  /// A call with a status. A status outside the list, or an exception, becomes FAILED.
  template <class Call>
  sluice_status call(const char* name, std::string& text, Call&& body) {
    if (threw_) [[unlikely]] {
      text = "the plugin threw in an earlier call";
      return SLUICE_FAILED;
    }
    const CallGuard guard(host_.module_name(), host_.node_name(), name);
    sluice_status status = SLUICE_FAILED;
    try {
      status = body();
    } catch (const std::exception& e) {
      return failed_by(name, e.what(), text);
    } catch (...) {
      return failed_by(name, "something that is not a std::exception", text);
    }
    if (status < SLUICE_OK || status > SLUICE_AWAY) [[unlikely]] {
      host_.breach(PluginHost::Breach::unknown_status, name);
      if (text.empty()) text = std::string(name) + "() answered the unknown status " + std::to_string(status);
      return SLUICE_FAILED;
    }
    return status;
  }

  /// The same, for calls that take an error buffer.
  template <class Call>
  sluice_status call_with_error(const char* name, std::string& text, Call&& body) {
    ErrorText error;
    const sluice_status status = call(name, text, [&] { return body(error.out()); });
    if (status != SLUICE_OK && !error.empty()) error.read(host_, name, text);
    return status;
  }

  /// A call without a status: after an exception the next call with one says FAILED.
  template <class Call>
  void call_void(const char* name, Call&& body) {
    std::string text;
    (void)call(name, text, [&] {
      body();
      return SLUICE_OK;
    });
  }

  Status control(const char* name, sluice_status (*slot)(sluice_node*, std::int32_t, sluice_error*),
                 std::chrono::milliseconds timeout) {
    Status status;
    if (slot == nullptr) return status;
    status.code =
        call_with_error(name, status.text, [&](sluice_error* error) { return slot(node_, to_ms(timeout), error); });
    if (!status.ok() && status.text.empty()) status.text = std::string(name) + "(): " + status_text(status.code);
    return status;
  }

  void create(const std::string& config_json, Status& status) {
    const PluginConfig config(config_json);
    status.code = call_with_error("create", status.text, [&](sluice_error* error) {
      return table_->create(&host_, &config.table(), &node_, error);
    });
    if (status.ok() && node_ == nullptr) {
      status = {SLUICE_FAILED, "create() said OK and made no node"};
    } else if (!status.ok()) {
      node_ = nullptr;  // on failure there is none, whatever was left there
      if (status.text.empty()) status.text = std::string("create(): ") + status_text(status.code);
    }
  }

  std::string summary() {
    if (!SLUICE_HAS(table_, sluice_class, extension) || table_->extension == nullptr) return {};
    std::string lines;
    call_void("summary", [&] {
      const auto* offered = static_cast<const sluice_summary*>(table_->extension(table_, SLUICE_SUMMARY));
      if (offered == nullptr || !SLUICE_HAS(offered, sluice_summary, write) || offered->write == nullptr) return;
      lines.resize(kSummaryBytes);
      lines.resize(std::min(offered->write(node_, lines.data(), kSummaryBytes), kSummaryBytes));
    });
    return lines;
  }

  std::uint64_t input_bytes() {
    if (!SLUICE_HAS(table_, sluice_class, extension) || table_->extension == nullptr) return 0;
    std::uint64_t bytes = 0;
    call_void("input_bytes", [&] {
      const auto* offered = static_cast<const sluice_input_size*>(table_->extension(table_, SLUICE_INPUT_SIZE));
      if (offered != nullptr && SLUICE_HAS(offered, sluice_input_size, bytes) && offered->bytes != nullptr) {
        bytes = offered->bytes(node_);
      }
    });
    return bytes;
  }

  std::vector<std::string> wanted_types() {
    if (!SLUICE_HAS(table_, sluice_class, extension) || table_->extension == nullptr) return {};
    std::vector<std::string> wanted, heard;
    call_void("wanted_types", [&] {
      const auto* offered = static_cast<const sluice_wants*>(table_->extension(table_, SLUICE_WANTS));
      if (offered == nullptr || !SLUICE_HAS(offered, sluice_wants, types) || offered->types == nullptr) return;
      const sluice_str* patterns = nullptr;
      const std::uint32_t count = offered->types(node_, &patterns);
      for (std::uint32_t i = 0; i < count; ++i) heard.emplace_back(patterns[i].ptr, patterns[i].len);
      wanted.swap(heard);  // whole or not at all: half a list would hide events
    });
    return wanted;
  }

  [[nodiscard]] const sluice_class& table() const noexcept { return *table_; }
  [[nodiscard]] sluice_node* node() const noexcept { return node_; }
  [[nodiscard]] PluginHost& host() const noexcept { return host_; }

 private:
  sluice_status failed_by(const char* name, const char* what, std::string& text) {
    threw_ = true;
    text = std::string(name) + "() threw: " + clean_text(what, limits::kErrorBytes);
    host_.breach(PluginHost::Breach::threw, name);
    return SLUICE_FAILED;
  }

  const sluice_class* table_;
  PluginHost& host_;
  PluginMetrics& metrics_;
  sluice_node* node_ = nullptr;
  std::atomic<bool> threw_{false};  // several lanes may be inside a REENTRANT consumer
};

template <class Kind>
class PluginNode : public Kind {
 public:
  PluginNode(const LoadedClass& loaded, PluginHost& host, const NodeServices& services)
      : border_(loaded, host, services),
        poll_(SLUICE_HAS(loaded.table, sluice_class, poll) ? loaded.table->poll : nullptr) {}

  void create(const std::string& config_json, Status& status) { border_.create(config_json, status); }
  Status probe(std::chrono::milliseconds timeout) {
    if (border_.table().probe == nullptr) return {SLUICE_UNSUPPORTED, "the class has no probe()"};
    return border_.control("probe", border_.table().probe, timeout);
  }

  void attach(NodeEvents* events) noexcept override { border_.host().attach(events); }
  Status start(std::chrono::milliseconds timeout) override {
    return border_.control("start", border_.table().start, timeout);
  }
  Status stop(std::chrono::milliseconds timeout) override {
    return border_.control("stop", border_.table().stop, timeout);
  }
  bool poll(int wake_fd, std::chrono::milliseconds timeout, std::uint32_t room, Status& status) override {
    if (poll_ == nullptr) return false;
    status.text.clear();
    status.code =
        border_.call("poll", status.text, [&] { return poll_(border_.node(), wake_fd, to_ms(timeout), room); });
    return true;
  }
  bool polls() const noexcept override { return poll_ != nullptr; }
  std::string summary() override { return border_.summary(); }
  std::uint64_t input_bytes() override { return border_.input_bytes(); }
  std::uint64_t breaches() const noexcept override { return border_.host().breaches(); }

 protected:
  Border border_;
  sluice_status (*const poll_)(sluice_node*, std::int32_t, std::int32_t, std::uint32_t);
};

}  // namespace sluice
