// What a sluice_node* points to when the plugin is a C++ class, for the thunks of cpp/plugin.hh.
#pragma once

#include "../types.h"
#include "config_view.hh"
#include "guard.hh"
#include "host_view.hh"

#include <cstdio>

namespace sluice::thunk {

/// What a sluice_node* points to: the plugin's object, and the host for the calls that can report an error only there.
template <class T>
struct Held {
  Held(const sluice_host& host, const sluice_config& config) : host(host), node(HostView(host), ConfigView(config)) {}
  HostView host;
  T node;
};

template <class T>
T& as(sluice_node* node) noexcept {
  return reinterpret_cast<Held<T>*>(node)->node;
}

/// For calls without an error text: what was thrown is logged, never lost.
template <class T, class Body>
sluice_status guarded_call(sluice_node* node, const char* call, Body&& body) noexcept {
  char text[256];
  sluice_error error{sizeof(sluice_error), sizeof text, 0, 0, text};
  const sluice_status status = guarded(&error, body);
  if (error.len != 0) {
    char line[320];
    const int length = std::snprintf(line, sizeof line, "%s() threw: %.*s", call, static_cast<int>(error.len), text);
    reinterpret_cast<Held<T>*>(node)->host.log(SLUICE_LOG_ERROR, {line, static_cast<std::size_t>(length)});
  }
  return status;
}

}  // namespace sluice::thunk
