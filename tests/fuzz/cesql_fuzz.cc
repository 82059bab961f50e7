// Any text as an expression over one event: it is refused or evaluated, and both ends of the arithmetic are reached.
#include "core/block.hh"
#include "core/cesql.hh"
#include "core/decode.hh"
#include "core/event_format.hh"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

namespace {

struct Event {
  sluice::BlockPool pool;
  sluice::BlockRef block = pool.take();
  std::string text =
      R"({"specversion":"1.0","id":"1","source":"/s","type":"a.b","subject":"h\u00e9llo","low":-2147483648,"one":-1,"flag":true})";

  Event() {
    const std::size_t length = text.size();
    text.append(SLUICE_PADDING, '\0');
    sluice_record record{};
    record.ptr = reinterpret_cast<const std::uint8_t*>(text.data());
    record.len = length;
    sluice::Decoder decoder(sluice::cloudevents_format(), {});
    if (decoder.decode(record, {}, *block)) std::abort();
  }
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const Event event;
  std::string why;
  const auto expression = sluice::cesql::Expression::parse({reinterpret_cast<const char*>(data), size}, why);
  if (!expression) {
    if (why.empty()) std::abort();
    return 0;
  }
  sluice::cesql::Scratch scratch;
  const auto result = expression->evaluate(event.block->events.front(), scratch);
  const bool passes = result.ok() && result.value.type == sluice::cesql::Type::boolean && result.value.number != 0;
  if (passes != expression->matches(event.block->events.front())) std::abort();
  return 0;
}
