// CloudEvents in NATS messages: which mode a message is in, and attributes as headers (`ce-` and the name, values
// percent-encoded as in HTTP, the data's type as ce-datacontenttype). Pure.
#pragma once

#include <sluice/writer.h>
#include <sluice/cpp/event_view.hh>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace nats {

/// Names and values of a message's headers, in order. Values hold no line break.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// Appends an event's attributes.
void append_attributes(const sluice::EventView& event, Headers& out);

/// A message's attributes, as sluice_record wants them. Valid until the next read().
class Attributes {
 public:
  /// The record's flags: SLUICE_ATTRIBUTES for binary mode. Names are compared in any case. A value that cannot be
  /// percent-decoded is taken as it stands: some senders do not encode. A message without ce- headers is structured:
  /// that is what the released binding knows, and what every other sender without headers means.
  std::uint32_t read(const Headers& headers);
  [[nodiscard]] const std::vector<sluice_attribute>& all() const noexcept { return attributes_; }

 private:
  void keep(std::string name, std::string_view raw_value);
  std::vector<sluice_attribute> attributes_;
  std::deque<std::string> texts_;
};

}  // namespace nats
