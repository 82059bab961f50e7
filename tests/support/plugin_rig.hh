// A host small enough to hold in one hand: drives a class's table in a plugin's own test, without lanes or threads.
//
//   rig::Host host;                                        // records completions, wakes, logs; the clock is yours
//   rig::Node node(my_class, R"({"path":"x"})", host);     // create(); schema defaults filled in
//   rig::Writer out; node.pull(out); out.texts();          // a source's records, as texts
//   rig::Batch batch({R"({"specversion":"1.0",…})"}, 1);   // events from JSON texts, first ticket 1
//   node.publish(batch); host.completions;                 // what a backend said
//
// It fills events in well enough for plugins, but it judges nothing: decoding and contract checks are the host's.
#pragma once

#include <sluice/ext/metrics.h>
#include <sluice/ext/summary.h>
#include <sluice/module.h>
#include <sluice/cpp/text.hh>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace rig {

using json = nlohmann::ordered_json;

/// A config from JSON text. Numbers with a unit are given resolved (milliseconds, bytes), as the host gives them.
class Config : public sluice_config {
 public:
  explicit Config(const std::string& text, const char* schema = nullptr) : sluice_config{}, root_(json::parse(text)) {
    if (schema != nullptr) fill(root_, json::parse(schema));
    canonical_ = root_.dump();
    sluice_config::size = sizeof(sluice_config);
    sluice_config::json = sluice::str(canonical_);
    sluice_config::text = [](const sluice_config* c, const char* path) {
      const rig::json* at = self(c).find(path);
      if (at == nullptr || at->is_null()) return "";
      return self(c).texts_.emplace_back(at->is_string() ? at->get<std::string>() : at->dump()).c_str();
    };
    integer = [](const sluice_config* c, const char* path) -> std::int64_t {
      const rig::json* at = self(c).find(path);
      if (at == nullptr) return 0;
      if (at->is_boolean()) return at->get<bool>() ? 1 : 0;
      return at->is_number() ? at->get<std::int64_t>() : 0;
    };
    number = [](const sluice_config* c, const char* path) {
      const rig::json* at = self(c).find(path);
      return at != nullptr && at->is_number() ? at->get<double>() : 0.0;
    };
    count = [](const sluice_config* c, const char* path) -> std::uint32_t {
      const rig::json* at = self(c).find(path);
      return at != nullptr && at->is_structured() ? static_cast<std::uint32_t>(at->size()) : 0;
    };
    name = [](const sluice_config* c, const char* path, std::uint32_t i) {
      const rig::json* at = self(c).find(path);
      if (at == nullptr || !at->is_object() || i >= at->size()) return "";
      return self(c).texts_.emplace_back(std::next(at->begin(), i).key()).c_str();
    };
    has = [](const sluice_config* c, const char* path) {
      const rig::json* at = self(c).find(path);
      return at != nullptr && !at->is_null() ? 1 : 0;
    };
  }

 private:
  static const Config& self(const sluice_config* c) { return *static_cast<const Config*>(c); }
  [[nodiscard]] const rig::json* find(const std::string& path) const {
    const rig::json::json_pointer pointer(path.empty() ? "" : "/" + path);
    return root_.contains(pointer) ? &root_.at(pointer) : nullptr;
  }
  static void fill(rig::json& value, const rig::json& schema) {
    if (!value.is_object() || !schema.contains("properties")) return;
    for (const auto& [key, child] : schema["properties"].items()) {
      if (!value.contains(key) && child.contains("default")) value[key] = child["default"];
      if (value.contains(key)) fill(value[key], child);
    }
  }

  rig::json root_;
  std::string canonical_;
  mutable std::deque<std::string> texts_;
};

struct Completion {
  std::uint64_t ticket;
  sluice_status status;
  std::string reason;
  std::int32_t code = 0;
  std::uint32_t retry_after_ms = 0;
};

/// Thread-safe where the ABI says "any": read the members when the plugin's threads are quiet, or hold `mutex`.
class Host : public sluice_host {
 public:
  Host() : sluice_host{} {
    size = sizeof(sluice_host);
    abi_minor = SLUICE_ABI_MINOR;
    self = this;
    replicas = 1;
    node = "test";
    service = [](const sluice_host*, const char* id) -> const void* {
      static const sluice_metrics metrics{sizeof(sluice_metrics), 0, &Host::make_cell};
      return std::strcmp(id, SLUICE_METRICS) == 0 ? &metrics : nullptr;
    };
    wake = [](const sluice_host* h) { of(h).wakes.fetch_add(1); };
    complete = [](const sluice_host* h, std::uint64_t ticket, std::uint32_t count, const sluice_result* result) {
      const std::lock_guard lock(of(h).mutex);
      for (std::uint32_t i = 0; i < count; ++i) {
        Completion done{ticket + i, SLUICE_OK, {}};
        if (result != nullptr) {
          done = {ticket + i, result->status, std::string(sluice::view(result->reason)), result->code,
                  result->retry_after_ms};
        }
        of(h).completions.push_back(std::move(done));
      }
    };
    complete_each = [](const sluice_host* h, std::uint64_t ticket, std::uint32_t count, const std::uint8_t* status) {
      const std::lock_guard lock(of(h).mutex);
      for (std::uint32_t i = 0; i < count; ++i) of(h).completions.push_back({ticket + i, status[i], {}});
    };
    explain = [](const sluice_host* h, std::uint32_t index, sluice_str reason) {
      of(h).explained[index] = sluice::view(reason);
    };
    now_ns = [](const sluice_host* h) { return of(h).clock_ns.load(); };
    log_level = [](const sluice_host*) -> std::int32_t { return SLUICE_LOG_DEBUG; };
    log = [](const sluice_host* h, std::int32_t level, sluice_str text) {
      const std::lock_guard lock(of(h).mutex);
      of(h).logs.emplace_back(level, sluice::view(text));
    };
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  void advance_ms(std::uint64_t ms) { clock_ns += ms * 1'000'000; }
  /// How many tickets were completed with this status.
  [[nodiscard]] std::size_t completed(sluice_status status) {
    const std::lock_guard lock(mutex);
    return static_cast<std::size_t>(
        std::count_if(completions.begin(), completions.end(), [&](const Completion& c) { return c.status == status; }));
  }
  [[nodiscard]] bool logged(std::string_view part) {
    const std::lock_guard lock(mutex);
    return std::any_of(logs.begin(), logs.end(),
                       [&](const auto& line) { return line.second.find(part) != std::string::npos; });
  }
  /// A cell by its name and labels in Prometheus notation: `events_total{type="a"}`; null when never asked for.
  [[nodiscard]] const sluice_cell* cell(const std::string& series) {
    const auto found = cells.find(series);
    return found == cells.end() ? nullptr : &found->second;
  }

  std::mutex mutex;
  std::vector<Completion> completions;
  std::vector<std::pair<std::int32_t, std::string>> logs;
  std::map<std::uint32_t, std::string> explained;
  std::map<std::string, sluice_cell> cells;
  std::atomic<std::uint64_t> wakes{0};
  std::atomic<std::uint64_t> clock_ns{1'000'000'000};

 private:
  static Host& of(const sluice_host* h) { return *static_cast<Host*>(h->self); }
  static sluice_cell* make_cell(const sluice_host* h, std::int32_t, sluice_str name, sluice_str,
                                const sluice_str* labels, std::uint32_t label_count) {
    std::string series(sluice::view(name));
    for (std::uint32_t i = 0; i < label_count; ++i) {
      series += i == 0 ? "{" : ",";
      series.append(sluice::view(labels[2 * i])).append("=\"").append(sluice::view(labels[2 * i + 1])).append("\"");
    }
    if (label_count > 0) series += "}";
    return &of(h).cells[series];
  }
};

/// Room for one call. Chunks of bytes stay alive as long as the writer does.
class Writer : public sluice_writer {
 public:
  explicit Writer(std::uint32_t records_max = 256, std::uint64_t bytes_max = 256 * 1024)
      : sluice_writer{}, storage_(records_max) {
    size = sizeof(sluice_writer);
    stride = sizeof(sluice_record);
    cap = records_max;
    records = storage_.data();
    fresh(bytes_max);
    grow = [](sluice_writer* w, std::uint32_t more_records, std::uint64_t more_bytes) -> std::int32_t {
      auto& me = *static_cast<Writer*>(w);
      if (me.bytes_left < more_bytes) return 0;
      me.bytes_left -= more_bytes;
      me.storage_.resize(std::max<std::size_t>(me.storage_.size(), me.count + more_records));
      me.records = me.storage_.data();
      me.cap = static_cast<std::uint32_t>(me.storage_.size());
      if (more_bytes > 0) me.fresh(more_bytes);
      return 1;
    };
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() {
    if (release != nullptr) release(release_arg);
  }

  [[nodiscard]] const sluice_record& operator[](std::uint32_t i) const { return storage_.at(i); }
  [[nodiscard]] std::string text(std::uint32_t i) const {
    return {reinterpret_cast<const char*>(storage_.at(i).ptr), static_cast<std::size_t>(storage_.at(i).len)};
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> all;
    for (std::uint32_t i = 0; i < count; ++i) all.push_back(text(i));
    return all;
  }
  /// The value of a header (an attribute) of record i.
  [[nodiscard]] std::string header(std::uint32_t i, std::string_view name) const {
    const sluice_record& record = storage_.at(i);
    for (std::uint32_t h = 0; h < record.header_count; ++h) {
      if (sluice::view(record.headers[h].name) == name) return std::string(sluice::view(record.headers[h].value));
    }
    return {};
  }

  std::uint64_t bytes_left = 8 * 1024 * 1024;  // what grow() may still give

 private:
  void fresh(std::uint64_t room) {
    chunks_.push_back(std::make_unique<std::uint8_t[]>(room + SLUICE_PADDING));
    bytes = chunks_.back().get();
    bytes_cap = room;
    bytes_len = 0;
  }
  std::vector<sluice_record> storage_;
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
};

/// Events from CloudEvents JSON texts.
class Batch : public sluice_batch {
 public:
  explicit Batch(const std::vector<std::string>& texts, std::uint64_t first_ticket = 0, std::uint64_t first_seq = 1)
      : sluice_batch{} {
    for (const std::string& text : texts) add(text, first_seq++);
    size = sizeof(sluice_batch);
    count = static_cast<std::uint32_t>(views_.size());
    stride = sizeof(sluice_event);
    events = views_.data();
    ticket = first_ticket;
  }
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

 private:
  static std::string from_base64(const std::string& text) {
    constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t held = 0, bits = 0;
    for (const char c : text.substr(0, text.find('='))) {
      held = held << 6 | static_cast<std::uint32_t>(kDigits.find(c));
      if ((bits += 6) >= 8) bytes += static_cast<char>(held >> (bits -= 8) & 0xff);
    }
    return bytes;
  }
  void add(const std::string& text, std::uint64_t seq) {
    const rig::json event = rig::json::parse(text);
    std::string& base = texts_.emplace_back(text);
    const auto put = [&](const std::string& value) {
      const sluice_slice at{static_cast<std::uint32_t>(base.size()), static_cast<std::uint32_t>(value.size())};
      base += value;
      return at;
    };
    sluice_event made{};
    made.seq = seq;
    made.json = {0, static_cast<std::uint32_t>(text.size())};
    std::vector<sluice_attribute>& extensions = extensions_.emplace_back();
    for (const auto& [key, value] : event.items()) {
      const std::string plain = value.is_string() ? value.get<std::string>() : value.dump();
      if (key == "id")
        made.id = put(plain);
      else if (key == "source")
        made.source = put(plain);
      else if (key == "type")
        made.type = put(plain);
      else if (key == "subject")
        made.subject = put(plain);
      else if (key == "time")
        made.time = put(plain), made.time_s = seconds_of(plain), made.flags |= SLUICE_HAS_TIME;
      else if (key == "datacontenttype")
        made.datacontenttype = put(plain);
      else if (key == "dataschema")
        made.dataschema = put(plain);
      else if (key == "data")
        made.data = put(value.dump()), made.flags |= SLUICE_HAS_DATA;
      else if (key == "data_base64")
        made.data = put(from_base64(plain)), made.flags |= SLUICE_HAS_DATA | SLUICE_DATA_BYTES;
      else if (key != "specversion") {
        if (key == "partitionkey") made.key = put(plain);
        const std::string& n = kept_.emplace_back(key);
        const std::string& v = kept_.emplace_back(plain);
        extensions.push_back({sluice::str(n), sluice::str(v), SLUICE_STRING, 0});
      }
    }
    base.append(SLUICE_PADDING, '\0');
    made.text = base.data();
    made.extensions = extensions.data();
    made.extension_count = static_cast<std::uint32_t>(extensions.size());
    views_.push_back(made);
  }

  /// Whole seconds, in UTC: what a test writes.
  static std::int64_t seconds_of(const std::string& time) {
    std::tm parts{};
    return ::strptime(time.c_str(), "%Y-%m-%dT%H:%M:%S", &parts) == nullptr ? 0 : ::timegm(&parts);
  }

  std::deque<std::string> texts_, kept_;
  std::deque<std::vector<sluice_attribute>> extensions_;
  std::vector<sluice_event> views_;
};

/// A node of a class, made with the class's own defaults; destroyed with the object. Throws what create() or start()
/// said.
class Node {
 public:
  Node(const sluice_class& of, const std::string& config, Host& host) : class_(of) {
    const Config made(config, of.config_schema);
    ErrorText error;
    status = class_.create(&host, &made, &node_, &error);
    if (status != SLUICE_OK || node_ == nullptr) throw std::runtime_error(error.str());
  }
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  ~Node() { class_.destroy(node_); }

  /// Null tables mean "not offered", which is fine.
  void start(std::int32_t timeout_ms = 5000) {
    ErrorText text;
    status = class_.start == nullptr ? SLUICE_OK : class_.start(node_, timeout_ms, &text);
    error = text.str();
    if (status != SLUICE_OK) throw std::runtime_error(error);
  }
  sluice_status stop(std::int32_t timeout_ms = 5000) {
    return control(
        [&](sluice_error* e) { return class_.stop == nullptr ? SLUICE_OK : class_.stop(node_, timeout_ms, e); });
  }
  sluice_status probe(std::int32_t timeout_ms = 5000) {
    return control([&](sluice_error* e) { return class_.probe(node_, timeout_ms, e); });
  }
  sluice_status poll(std::int32_t timeout_ms = 0, std::uint32_t room = 256, std::int32_t wake_fd = -1) {
    return class_.poll == nullptr ? SLUICE_OK : class_.poll(node_, wake_fd, timeout_ms, room);
  }
  sluice_status pull(Writer& out) {
    return control([&](sluice_error* e) { return class_.source->pull(node_, &out, e); });
  }
  void settle(const std::vector<sluice_settlement>& all) {
    class_.source->settle(node_, all.data(), static_cast<std::uint32_t>(all.size()), sizeof(sluice_settlement));
  }
  /// Settles records first..last of a pull, all the same way.
  void settle(const Writer& out, std::uint32_t outcome, std::uint32_t first = 0, std::uint32_t last = UINT32_MAX) {
    std::vector<sluice_settlement> all;
    for (std::uint32_t i = first; i < std::min(last, out.count); ++i) all.push_back({out[i].tag, outcome, 0, {}});
    settle(all);
  }
  sluice_status process(const Batch& in, std::vector<std::uint8_t>& verdict, Writer* out) {
    verdict.assign(in.count, 0);
    return control([&](sluice_error* e) { return class_.consumer->process(node_, &in, verdict.data(), out, e); });
  }
  sluice_status observe(const Batch& in) {
    return control([&](sluice_error* e) { return class_.consumer->process(node_, &in, nullptr, nullptr, e); });
  }
  void settled(const std::vector<std::uint64_t>& seq, const std::vector<std::uint8_t>& outcome) {
    class_.consumer->settled(node_, seq.data(), outcome.data(), static_cast<std::uint32_t>(seq.size()));
  }
  std::uint32_t tick(std::uint64_t now_ns, Writer* out = nullptr) { return class_.consumer->tick(node_, now_ns, out); }
  /// How many events were taken.
  std::uint32_t publish(const sluice_batch& batch) {
    std::uint32_t taken = 0;
    control([&](sluice_error* e) { return class_.backend->publish(node_, &batch, &taken, e); });
    return taken;
  }
  void flush() {
    if (class_.backend->flush != nullptr) class_.backend->flush(node_);
  }
  /// For the calls of a class's extensions.
  [[nodiscard]] sluice_node* raw() const noexcept { return node_; }
  [[nodiscard]] std::string summary() {
    const auto* table = static_cast<const sluice_summary*>(class_.extension(&class_, SLUICE_SUMMARY));
    std::string text(16 * 1024, '\0');
    text.resize(table == nullptr ? 0 : table->write(node_, text.data(), static_cast<std::uint32_t>(text.size())));
    return text;
  }

  sluice_status status = SLUICE_OK;  // of the last call
  std::string error;                 // its text

 private:
  struct ErrorText : sluice_error {
    ErrorText() : sluice_error{sizeof(sluice_error), sizeof(room), 0, 0, room} {}
    [[nodiscard]] std::string str() const { return {room, len}; }
    char room[1024];
  };
  template <class Call>
  sluice_status control(Call&& call) {
    ErrorText text;
    status = call(&text);
    error = text.str();
    return status;
  }
  const sluice_class& class_;
  sluice_node* node_ = nullptr;
};

/// A class of a module by its name: the same table that the host sees. Where a source and a backend share the name,
/// source_of() and backend_of() say which one is meant.
inline const sluice_class& class_of(const sluice_module& module, std::string_view name,
                                    bool (*fits)(const sluice_class&) = nullptr) {
  for (std::uint32_t i = 0; i < module.class_count; ++i) {
    const sluice_class& one = *module.classes[i];
    if (name == one.name && (fits == nullptr || fits(one))) return one;
  }
  throw std::runtime_error("the module has no class " + std::string(name));
}
inline const sluice_class& source_of(const sluice_module& module, std::string_view name) {
  return class_of(module, name, [](const sluice_class& one) { return one.source != nullptr; });
}
inline const sluice_class& backend_of(const sluice_module& module, std::string_view name) {
  return class_of(module, name, [](const sluice_class& one) { return one.backend != nullptr; });
}

}  // namespace rig
