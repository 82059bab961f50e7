// The wall between C++ and C: no exception crosses it.
#pragma once

#include "text.hh"

#include <exception>
#include <stdexcept>
#include <string>

namespace sluice {

/// The configuration is wrong in a way that the schema could not say. create() answers SLUICE_BAD_CONFIG.
struct BadConfig : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// The far side cannot be reached; says nothing about any event. The host backs off and tries again.
struct Away : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Runs body and turns what it throws into a status and a text for people.
template <class Body>
sluice_status guarded(sluice_error* error, Body&& body) noexcept {
  try {
    return body();
  } catch (const BadConfig& e) {
    put(error, e.what());
    return SLUICE_BAD_CONFIG;
  } catch (const Away& e) {
    put(error, e.what());
    return SLUICE_AWAY;
  } catch (const std::exception& e) {
    put(error, e.what());
    return SLUICE_FAILED;
  } catch (...) {
    put(error, "unknown exception");
    return SLUICE_FAILED;
  }
}

}  // namespace sluice
