// Bytes from anywhere become events or a reason, never a crash; and what was taken can be taken again.
// The first byte chooses the format and the flags, the rest is the record.
#include "core/decode.hh"
#include "core/event_json.hh"
#include "core/filter.hh"
#include "core/redact.hh"

#include <sluice/cpp/envelope.hh>
#include <sluice/cpp/http_binding.hh>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>

using namespace sluice;

namespace {

void demand(bool holds) {
  if (!holds) std::abort();
}

EventFormat raw_format() {
  EventFormat format;
  format.kind = FormatKind::raw;
  format.type = "t";
  format.datacontenttype = "application/json";
  return format;
}

/// With exactly the padding that the ABI promises; the sanitizer watches the byte behind it.
struct Padded {
  explicit Padded(std::string_view text) : bytes(new char[text.size() + SLUICE_PADDING]), size(text.size()) {
    std::memcpy(bytes.get(), text.data(), text.size());
    std::memset(bytes.get() + size, '}', SLUICE_PADDING);
  }
  [[nodiscard]] sluice_record record(std::uint32_t flags) const {
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(bytes.get());
    record.len = size;
    record.flags = flags;
    return record;
  }
  std::unique_ptr<char[]> bytes;
  std::size_t size;
};

/// Data that came beside its attributes keeps the blanks around its JSON; the JSON format does not know them.
std::string_view value_of(EventView event) {
  std::string_view data = event.data();
  constexpr std::string_view kBlanks = " \t\r\n";
  if (event.data_is_bytes() || data.empty()) return data;
  data.remove_prefix(data.find_first_not_of(kBlanks));
  return data.substr(0, data.find_last_not_of(kBlanks) + 1);
}

/// The JSON that the host keeps for an event is that event.
void check_again(EventView event, Decoder& cloudevents, Block& block) {
  const Padded again(event.json());
  const std::size_t at = block.events.size();
  demand(!cloudevents.decode(again.record(SLUICE_SINGLE), {}, block));
  demand(block.events.size() == at + 1);
  const EventView copy(block.events[at]);
  demand(copy.id() == event.id() && copy.source() == event.source() && copy.type() == event.type());
  demand(copy.subject() == event.subject() && copy.time() == event.time());
  demand(value_of(copy) == value_of(event) && copy.has_data() == event.has_data());
  demand(copy.raw().extension_count == event.raw().extension_count);
}

void use(EventView event, Block& block, Decoder& cloudevents) {
  static Redactor redactor({"/text", "/a/0/b", "/content"});
  static EventWriter writer;
  sluice_event rewritten{};
  if (redactor.apply(event.raw(), block, rewritten)) {
    check_again(EventView(rewritten), cloudevents, block);
    sluice_event twice{};
    demand(!redactor.apply(rewritten, block, twice));
  }
  const sluice_attribute added{.name = str("sluiceerror"), .value = str("x"), .type = SLUICE_STRING, .reserved = 0};
  const sluice_event dead = writer.with_extensions(event.raw(), {&added, 1}, block);
  check_again(EventView(dead), cloudevents, block);
  std::string out;
  for (const auto envelope : {Envelope::bus_event, Envelope::domain_event}) append_line(event, envelope, out);
}

void fuzz_headers(std::string_view text) {
  http_binding::BinaryHeaders headers;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    (void)headers.add(line.substr(0, colon), line.substr(std::min(colon + 1, line.size())));
    (void)http_binding::mode_of(line);
  }
  static Decoder decoder(cloudevents_format(), {});
  static Decoder again(cloudevents_format(), {});
  static BlockPool pool;
  const BlockRef block = pool.take();
  const Padded data("{}");
  sluice_record record = data.record(SLUICE_ATTRIBUTES);
  record.headers = headers.attributes().data();
  record.header_count = static_cast<std::uint32_t>(headers.attributes().size());
  if (decoder.decode(record, {}, *block)) return;
  const sluice_event event = block->events.front();
  check_again(EventView(event), again, *block);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::uint8_t choice = data[0];
  const std::string_view text(reinterpret_cast<const char*>(data + 1), size - 1);
  if (choice % 8 == 7) return fuzz_headers(text), 0;
  if (choice % 8 == 6) {
    std::string why;
    demand(Filter::parse(text, why).has_value() == why.empty());
    return 0;
  }
  static Decoder cloudevents(cloudevents_format(), {});
  static Decoder checker(cloudevents_format(), {});
  static Decoder bus(bus_event_format("/s"), {}), domain(domain_event_format("/s"), {}), raw(raw_format(), {});
  Decoder* decoders[] = {&cloudevents, &cloudevents, &cloudevents, &bus, &domain, &raw};
  const std::uint32_t flags[] = {0, SLUICE_SINGLE, SLUICE_BATCHED, 0, 0, 0};
  static BlockPool pool;
  const BlockRef block = pool.take();
  const Padded padded(text);
  const auto refused =
      decoders[choice % 8]->decode(padded.record(flags[choice % 8]), {.node = "n", .random = 1}, *block);
  if (refused) {
    demand(block->events.empty() && refused->code[0] != '\0' && !refused->reason.empty());
    return 0;
  }
  const std::size_t count = block->events.size();
  for (std::size_t i = 0; i < count; ++i) {
    const sluice_event event = block->events[i];  // a copy: the vector grows below
    check_again(EventView(event), checker, *block);
    use(EventView(event), *block, checker);
  }
  return 0;
}
