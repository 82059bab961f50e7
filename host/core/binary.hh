// Binary mode: the attributes came beside the data, as a protocol's headers or from a consumer's hand.
#pragma once

#include "core/event_parts.hh"

#include <sluice/writer.h>

#include <vector>

namespace sluice {

/// Reads record.headers into parts, which refer to them and to `extensions` afterwards. A header with a null value is
/// not set. specversion may be missing only when `lenient`.
[[nodiscard]] Fault read_attributes(const sluice_record& record, const EventLimits& limits, bool lenient,
                                    std::vector<sluice_attribute>& extensions, EventParts& parts);

}  // namespace sluice
