// What a request says beside its body: the headers that a mode, a signature and the configuration ask for. Pure.
#pragma once

#include "transfers.hh"

#include <sluice/cpp/event_view.hh>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sluice_http {

enum class Mode : std::uint8_t { structured, binary, batched };

/// What a configured header must not be: the message's own framing, or a Content-Type that tells another mode.
/// Empty: it is fine.
[[nodiscard]] std::string header_problem(Mode mode, std::string_view name, std::string_view value);

/// The Content-Type of the mode; empty for binary, where each event has its own.
[[nodiscard]] std::string_view content_type_of(Mode mode) noexcept;

/// Binary mode: the event's attributes as ce- headers, and its data's type as Content-Type.
void add_attributes(sluice::EventView event, HeaderLines& lines);

}  // namespace sluice_http
