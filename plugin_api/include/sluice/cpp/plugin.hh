// Writing a plugin as a C++ class: the tables, the thunks and the exception barrier come from here.
//
//   class Null {
//    public:
//     Null(sluice::HostView host, sluice::ConfigView config);
//     sluice_status publish(sluice::BatchView batch, std::uint32_t& taken);
//   };
//   SLUICE_MODULE(sluice::backend<Null>({.name = "null", .version = "1.0.0", .summary = "…", .schema = "{}"}))
//
// A class has the calls it needs; a call it lacks is offered as "not there". The calls, by kind (see the C headers for
// what each promises):
//   every kind   T(HostView, ConfigView)      throw BadConfig when the configuration cannot work
//                void start(milliseconds)     throw Away when the far side is not there yet
//                sluice_status poll(int wake_fd, milliseconds timeout, std::uint32_t room)
//                void probe(milliseconds) · void stop(milliseconds) · std::string summary()
//                a store of keys (ext/key_store.h), both or neither; throw Away when it cannot be reached:
//                void lookup(std::span<const sluice_str> keys, std::uint8_t* present, milliseconds timeout)
//                void record(std::span<const sluice_str> keys, milliseconds ttl, milliseconds timeout)
//                and, both or neither, claims on keys
//                void claim(std::span<const sluice_str> keys, std::span<const sluice_str> owners, std::uint8_t* taken,
//                           milliseconds ttl, milliseconds timeout)
//                void release(std::span<const sluice_str> keys, std::span<const sluice_str> owners, milliseconds
//                timeout) messages to people (ext/alert.h), all three or none; throw what could not be done: void
//                test_message(milliseconds) · std::string render(const BatchView*) · std::string silences_path()
//   source       std::uint64_t input_bytes(): of all records until the end, 0 = not known
//                sluice_status pull(sluice_writer&) · void settle(const sluice_settlement&), once per record
//                (or void settle(SettlementsView) for all at once)
//   consumer     sluice_status process(BatchView, std::uint8_t* verdict, sluice_writer* out, sluice_error&)
//                std::uint32_t tick(std::uint64_t now_ns, sluice_writer* out)
//                void settled(const std::uint64_t* seq, const std::uint8_t* outcome, std::uint32_t count)
//                std::span<const sluice_str> wanted_types() of an observer: patterns, none for every type (ext/wants.h)
//   backend      sluice_status publish(BatchView, std::uint32_t& taken) · void flush()
#pragma once

#include "../module.h"
#include "config_view.hh"
#include "event_view.hh"
#include "extension.hh"
#include "guard.hh"
#include "held.hh"
#include "host_view.hh"

#include <array>
#include <chrono>
#include <memory>
#include <span>
#include <string>

namespace sluice {

/// What a class says of itself. Texts are literals: they live as long as the module.
struct ClassInfo {
  const char* name;
  const char* version;
  const char* summary;
  const char* schema;
  std::uint32_t flags = 0;
  const char* const* ports = nullptr;
};

class SettlementsView {
 public:
  SettlementsView(const sluice_settlement* first, std::uint32_t count, std::uint32_t stride) noexcept
      : first_(first), count_(count), stride_(stride) {}
  [[nodiscard]] std::uint32_t size() const noexcept { return count_; }
  [[nodiscard]] const sluice_settlement& operator[](std::uint32_t i) const noexcept {
    return *reinterpret_cast<const sluice_settlement*>(reinterpret_cast<const char*>(first_) +
                                                       std::size_t{i} * stride_);
  }

 private:
  const sluice_settlement* first_;
  std::uint32_t count_, stride_;
};

namespace thunk {

template <class T>
sluice_status create(const sluice_host* host, const sluice_config* config, sluice_node** node, sluice_error* error) {
  return guarded(error, [&] {
    *node = reinterpret_cast<sluice_node*>(new Held<T>(*host, *config));
    return SLUICE_OK;
  });
}
template <class T>
void destroy(sluice_node* node) {
  delete reinterpret_cast<Held<T>*>(node);
}
template <class T>
sluice_status start(sluice_node* node, std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] { return as<T>(node).start(std::chrono::milliseconds(timeout_ms)), SLUICE_OK; });
}
template <class T>
sluice_status stop(sluice_node* node, std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] { return as<T>(node).stop(std::chrono::milliseconds(timeout_ms)), SLUICE_OK; });
}
template <class T>
sluice_status probe(sluice_node* node, std::int32_t timeout_ms, sluice_error* error) {
  return guarded(error, [&] { return as<T>(node).probe(std::chrono::milliseconds(timeout_ms)), SLUICE_OK; });
}
template <class T>
sluice_status poll(sluice_node* node, std::int32_t wake_fd, std::int32_t timeout_ms, std::uint32_t room) {
  return guarded_call<T>(node, "poll",
                         [&] { return as<T>(node).poll(wake_fd, std::chrono::milliseconds(timeout_ms), room); });
}
template <class T>
sluice_status pull(sluice_node* node, sluice_writer* out, sluice_error* error) {
  return guarded(error, [&] { return as<T>(node).pull(*out); });
}
template <class T>
void settle(sluice_node* node, const sluice_settlement* first, std::uint32_t count, std::uint32_t stride) {
  (void)guarded_call<T>(node, "settle", [&] {
    const SettlementsView all(first, count, stride);
    if constexpr (requires(T t) { t.settle(all); }) {
      as<T>(node).settle(all);
    } else {
      for (std::uint32_t i = 0; i < count; ++i) as<T>(node).settle(all[i]);
    }
    return SLUICE_OK;
  });
}
template <class T>
sluice_status process(sluice_node* node, const sluice_batch* in, std::uint8_t* verdict, sluice_writer* out,
                      sluice_error* error) {
  return guarded(error, [&] { return as<T>(node).process(BatchView(*in), verdict, out, *error); });
}
template <class T>
std::uint32_t tick(sluice_node* node, std::uint64_t now_ns, sluice_writer* out) {
  std::uint32_t again_ms = 0;
  (void)guarded_call<T>(node, "tick", [&] { return again_ms = as<T>(node).tick(now_ns, out), SLUICE_OK; });
  return again_ms;
}
template <class T>
void settled(sluice_node* node, const std::uint64_t* seq, const std::uint8_t* outcome, std::uint32_t count) {
  (void)guarded_call<T>(node, "settled", [&] { return as<T>(node).settled(seq, outcome, count), SLUICE_OK; });
}
template <class T>
sluice_status publish(sluice_node* node, const sluice_batch* batch, std::uint32_t* taken, sluice_error* error) {
  return guarded(error, [&] { return as<T>(node).publish(BatchView(*batch), *taken); });
}
template <class T>
void flush(sluice_node* node) {
  (void)guarded_call<T>(node, "flush", [&] { return as<T>(node).flush(), SLUICE_OK; });
}
/// True when T has a member of that name which the table could not take: a wrong signature would otherwise count as
/// "not offered", and the plugin's author would wonder why it is never called.
#define SLUICE_CALL_FITS(T, name, ...)                           \
  static_assert(                                                 \
      requires(T t) { __VA_ARGS__; } || !requires { &T::name; }, \
      #name "() is there, but with another signature: see the list at the top of sluice/cpp/plugin.hh")

/// The members that all kinds share.
template <class T>
constexpr sluice_class common(const ClassInfo& info) noexcept {
  using std::chrono::milliseconds;
  SLUICE_CALL_FITS(T, start, t.start(milliseconds{}));
  SLUICE_CALL_FITS(T, stop, t.stop(milliseconds{}));
  SLUICE_CALL_FITS(T, probe, t.probe(milliseconds{}));
  SLUICE_CALL_FITS(T, poll, t.poll(0, milliseconds{}, 0u));
  SLUICE_CALL_FITS(T, summary, std::string(t.summary()));
  SLUICE_CALL_FITS(T, input_bytes, std::uint64_t(t.input_bytes()));
  SLUICE_CALL_FITS(T, wanted_types, std::span<const sluice_str>(t.wanted_types()));
  sluice_class made{};
  made.size = sizeof(sluice_class);
  made.flags = info.flags;
  made.name = info.name;
  made.version = info.version;
  made.summary = info.summary;
  made.config_schema = info.schema;
  made.ports = info.ports;
  made.create = &create<T>;
  made.destroy = &destroy<T>;
  if constexpr (requires(T t, std::chrono::milliseconds d) { t.start(d); }) made.start = &start<T>;
  if constexpr (requires(T t, std::chrono::milliseconds d) { t.stop(d); }) made.stop = &stop<T>;
  if constexpr (requires(T t, std::chrono::milliseconds d) { t.probe(d); }) made.probe = &probe<T>;
  if constexpr (requires(T t, std::chrono::milliseconds d) { t.poll(0, d, 0u); }) made.poll = &poll<T>;
  made.extension = &extension<T>;
  return made;
}

template <class T>
inline constexpr sluice_source source_table{sizeof(sluice_source), 0, &pull<T>, &settle<T>};

template <class T>
constexpr sluice_consumer make_consumer_table() noexcept {
  SLUICE_CALL_FITS(T, tick, t.tick(std::uint64_t{}, static_cast<sluice_writer*>(nullptr)));
  SLUICE_CALL_FITS(
      T, settled, t.settled(static_cast<const std::uint64_t*>(nullptr), static_cast<const std::uint8_t*>(nullptr), 0u));
  sluice_consumer table{};
  table.size = sizeof(sluice_consumer);
  table.process = &process<T>;
  if constexpr (requires(T t, sluice_writer * w) { t.tick(0u, w); }) table.tick = &tick<T>;
  if constexpr (requires(T t, const std::uint64_t* s, const std::uint8_t* o) { t.settled(s, o, 0u); }) {
    table.settled = &settled<T>;
  }
  return table;
}
template <class T>
inline constexpr sluice_consumer consumer_table = make_consumer_table<T>();

template <class T>
constexpr sluice_backend make_backend_table() noexcept {
  SLUICE_CALL_FITS(T, flush, t.flush());
  sluice_backend table{};
  table.size = sizeof(sluice_backend);
  table.publish = &publish<T>;
  if constexpr (requires(T t) { t.flush(); }) table.flush = &flush<T>;
  return table;
}
template <class T>
inline constexpr sluice_backend backend_table = make_backend_table<T>();

}  // namespace thunk

template <class T>
constexpr sluice_class source(const ClassInfo& info) noexcept {
  sluice_class made = thunk::common<T>(info);
  made.source = &thunk::source_table<T>;
  return made;
}
template <class T>
constexpr sluice_class consumer(const ClassInfo& info) noexcept {
  sluice_class made = thunk::common<T>(info);
  made.consumer = &thunk::consumer_table<T>;
  return made;
}
template <class T>
constexpr sluice_class backend(const ClassInfo& info) noexcept {
  sluice_class made = thunk::common<T>(info);
  made.backend = &thunk::backend_table<T>;
  return made;
}

template <std::size_t N>
constexpr std::array<const sluice_class*, N> pointers_to(const sluice_class (&classes)[N]) noexcept {
  std::array<const sluice_class*, N> all{};
  for (std::size_t i = 0; i < N; ++i) all[i] = &classes[i];
  return all;
}

}  // namespace sluice

/// The module's end: its one export and its note, from the classes it offers. Everything is a constant of the file:
/// loading and describing a module runs no code of the plugin.
#define SLUICE_MODULE(...)                                                                   \
  static constexpr sluice_class sluice_module_classes[] = {__VA_ARGS__};                     \
  static constexpr auto sluice_module_pointers = sluice::pointers_to(sluice_module_classes); \
  SLUICE_MODULE_TABLE(sluice_module_pointers.data(), static_cast<uint32_t>(sluice_module_pointers.size()))
