// The extensions that a C++ class offers beyond the tables of its kind: by the calls it has, which are listed at the
// top of cpp/plugin.hh.
#pragma once

#include "../ext/alert.h"
#include "../ext/input_size.h"
#include "../ext/key_store.h"
#include "../ext/summary.h"
#include "../ext/wants.h"
#include "event_view.hh"
#include "guard.hh"
#include "held.hh"
#include "text.hh"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace sluice::thunk {

template <class T>
std::uint64_t input_bytes(sluice_node* node) {
  std::uint64_t bytes = 0;
  (void)guarded_call<T>(node, "input_bytes", [&] { return bytes = as<T>(node).input_bytes(), SLUICE_OK; });
  return bytes;
}
template <class T>
std::uint32_t write_summary(sluice_node* node, char* text, std::uint32_t cap) {
  std::uint32_t length = 0;
  (void)guarded_call<T>(node, "summary", [&] {
    const std::string lines = as<T>(node).summary();
    length = static_cast<std::uint32_t>(std::min<std::size_t>(lines.size(), cap));
    std::memcpy(text, lines.data(), length);
    return SLUICE_OK;
  });
  return length;
}
template <class T>
concept StoresKeys = requires(T t, std::span<const sluice_str> keys, std::uint8_t* present,
                              std::chrono::milliseconds d) {
  t.lookup(keys, present, d);
  t.record(keys, d, d);
};
template <class T>
sluice_status lookup(sluice_node* node, const sluice_str* keys, std::uint32_t count, std::uint8_t* present,
                     std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] {
    return as<T>(node).lookup(std::span(keys, count), present, std::chrono::milliseconds(timeout_ms)), SLUICE_OK;
  });
}
template <class T>
sluice_status record(sluice_node* node, const sluice_str* keys, std::uint32_t count, std::uint64_t ttl_ms,
                     std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] {
    const std::chrono::milliseconds ttl(ttl_ms), timeout(timeout_ms);
    return as<T>(node).record(std::span(keys, count), ttl, timeout), SLUICE_OK;
  });
}
template <class T>
concept ClaimsKeys = requires(T t, std::span<const sluice_str> keys, std::uint8_t* taken, std::chrono::milliseconds d) {
  t.claim(keys, keys, taken, d, d);
  t.release(keys, keys, d);
};
template <class T>
sluice_status claim(sluice_node* node, const sluice_str* keys, const sluice_str* owners, std::uint32_t count,
                    std::uint64_t ttl_ms, std::uint8_t* taken, std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] {
    const std::chrono::milliseconds ttl(ttl_ms), timeout(timeout_ms);
    return as<T>(node).claim(std::span(keys, count), std::span(owners, count), taken, ttl, timeout), SLUICE_OK;
  });
}
template <class T>
sluice_status release(sluice_node* node, const sluice_str* keys, const sluice_str* owners, std::uint32_t count,
                      std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] {
    const std::chrono::milliseconds timeout(timeout_ms);
    return as<T>(node).release(std::span(keys, count), std::span(owners, count), timeout), SLUICE_OK;
  });
}
template <class T>
constexpr sluice_key_store key_store_of() noexcept {
  sluice_key_store store{sizeof(sluice_key_store), 0, &lookup<T>, &record<T>, nullptr, nullptr};
  if constexpr (ClaimsKeys<T>) {
    store.claim = &claim<T>;
    store.release = &release<T>;
  }
  return store;
}
template <class T>
concept SendsAlerts = requires(T t, std::chrono::milliseconds d, const BatchView* batch) {
  t.test_message(d);
  std::string(t.render(batch));
  std::string(t.silences_path());
};
template <class T>
sluice_status alert_test(sluice_node* node, std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] { return as<T>(node).test_message(std::chrono::milliseconds(timeout_ms)), SLUICE_OK; });
}
template <class T>
sluice_status alert_render(sluice_node* node, const sluice_batch* batch, const sluice_text_sink* out,
                           sluice_error* error) {
  return guarded(error, [&] {
    std::string text;
    if (batch == nullptr) {
      text = as<T>(node).render(nullptr);
    } else {
      const BatchView view(*batch);
      text = as<T>(node).render(&view);
    }
    out->write(out, str(text));
    return SLUICE_OK;
  });
}
template <class T>
sluice_status alert_silences(sluice_node* node, const sluice_text_sink* out, sluice_error* error) {
  return guarded(error, [&] {
    const std::string path = as<T>(node).silences_path();
    out->write(out, str(path));
    return SLUICE_OK;
  });
}
template <class T>
std::uint32_t wanted_types(sluice_node* node, const sluice_str** patterns) noexcept {
  const std::span<const sluice_str> wanted = as<T>(node).wanted_types();
  *patterns = wanted.data();
  return static_cast<std::uint32_t>(wanted.size());
}
template <class T>
const void* extension(const sluice_class*, const char* id) {
  if constexpr (SendsAlerts<T>) {
    static const sluice_alerts alerts{sizeof(sluice_alerts), 0, &alert_test<T>, &alert_render<T>, &alert_silences<T>};
    if (std::strcmp(id, SLUICE_ALERTS) == 0) return &alerts;
  }
  if constexpr (StoresKeys<T>) {
    static const sluice_key_store key_store = key_store_of<T>();
    if (std::strcmp(id, SLUICE_KEY_STORE) == 0) return &key_store;
  }
  if constexpr (requires(T t) { t.input_bytes(); }) {
    static const sluice_input_size input_size{sizeof(sluice_input_size), 0, &input_bytes<T>};
    if (std::strcmp(id, SLUICE_INPUT_SIZE) == 0) return &input_size;
  }
  if constexpr (requires(T t) { t.summary(); }) {
    static const sluice_summary summary{sizeof(sluice_summary), 0, &write_summary<T>};
    if (std::strcmp(id, SLUICE_SUMMARY) == 0) return &summary;
  }
  if constexpr (requires(T t) { std::span<const sluice_str>(t.wanted_types()); }) {
    static const sluice_wants wants{sizeof(sluice_wants), 0, &wanted_types<T>};
    if (std::strcmp(id, SLUICE_WANTS) == 0) return &wants;
  }
  return nullptr;
}

}  // namespace sluice::thunk
