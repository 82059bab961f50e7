// An event with memory of its own: the same in every byte, and independent of where it came from.
#include "core/owned_event.hh"

#include "catch.hh"
#include "decoding.hh"

#include <cstring>

using namespace sluice;

namespace {

/// Everything an event says, as text that outlives it.
std::string picture(const sluice_event& raw) {
  const EventView event(raw);
  std::string out;
  for (const std::string_view part :
       {event.id(), event.source(), event.type(), event.subject(), event.time(), event.datacontenttype(),
        event.dataschema(), event.key(), event.json(), event.data()}) {
    out += std::string(part) + '\n';
  }
  for (std::uint32_t i = 0; i < raw.extension_count; ++i) {
    out += std::string(view(raw.extensions[i].name)) + '=' + std::string(view(raw.extensions[i].value)) + ':' +
           std::to_string(raw.extensions[i].type) + '\n';
  }
  for (const std::uint64_t number : {raw.seq, std::uint64_t{raw.flags}, std::uint64_t{raw.origin},
                                     static_cast<std::uint64_t>(raw.time_s), std::uint64_t{raw.time_ns}}) {
    out += std::to_string(number) + ' ';
  }
  return out;
}

/// The event decoded from text, owned; the original's memory is overwritten and freed before it is returned.
OwnedEvent owned_from(const std::string& text, std::string& before, EventFormat format = cloudevents_format()) {
  std::vector<char> bytes(text.begin(), text.end());
  bytes.resize(text.size() + SLUICE_PADDING, '}');
  BlockPool pool;
  Decoder decoder(std::move(format), {});
  const BlockRef block = pool.take();
  sluice_record record{};
  record.ptr = reinterpret_cast<const std::uint8_t*>(bytes.data());
  record.len = text.size();
  const auto refused = decoder.decode(record, {.node = "n", .unix_ns = 1, .random = 2}, *block);
  REQUIRE_FALSE(refused);
  sluice_event& event = block->events.back();
  event.seq = 77;
  event.origin = 5;
  event.flags |= 9u << 16;
  before = picture(event);
  OwnedEvent owned(event);
  for (std::uint32_t i = 0; i < event.extension_count; ++i) {
    std::memset(const_cast<sluice_attribute*>(&event.extensions[i]), 0xee, sizeof(sluice_attribute));
  }
  if (event.text != bytes.data()) std::memset(const_cast<char*>(event.text) + event.json.at, 0xee, event.json.len);
  std::memset(bytes.data(), 0xee, bytes.size());
  return owned;
}

bool lies_in_json(const sluice_event& event, sluice_slice slice) {
  return slice.at >= event.json.at && slice.at + slice.len <= event.json.at + event.json.len;
}

}  // namespace

TEST_CASE("owned event: attributes that lie in the event's JSON still do, and nothing of the original is needed") {
  std::string before;
  const OwnedEvent owned = owned_from(
      R"({"specversion":"1.0","id":"1","source":"/s","type":"t","subject":"sub","time":"2026-03-01T08:09:10.5Z",)"
      R"("datacontenttype":"application/json","dataschema":"http://x/y","partitionkey":"k1","ext":5,"data":{"n":[1,2]}})",
      before);
  CHECK(picture(owned.view()) == before);
  for (const sluice_slice slice : {owned.view().id, owned.view().subject, owned.view().time, owned.view().data}) {
    CHECK(lies_in_json(owned.view(), slice));
  }
}

TEST_CASE("owned event: unescaped attributes and decoded bytes, which lie outside the JSON, come along") {
  std::string before;
  const OwnedEvent owned =
      owned_from(R"({"specversion":"1.0","id":"a\"b","source":"/s","type":"t\u00e4","subject":"c\/d","ext":"q\\r",)"
                 R"("data_base64":"AAECAwQ="})",
                 before);
  CHECK(picture(owned.view()) == before);
  CHECK(EventView(owned.view()).id() == "a\"b");
  CHECK(EventView(owned.view()).data() == std::string_view("\0\1\2\3\4", 5));
  CHECK_FALSE(lies_in_json(owned.view(), owned.view().id));
}

TEST_CASE("owned event: an event that the host wrote itself is owned like any other") {
  std::string before;
  EventFormat raw = cloudevents_format();
  raw.kind = FormatKind::raw;
  raw.type = "t";
  const OwnedEvent owned = owned_from("not JSON at all \x01\x02", before, raw);
  CHECK(picture(owned.view()) == before);
  CHECK((owned.view().flags & SLUICE_SYNTHETIC) != 0);
  CHECK(EventView(owned.view()).data() == "not JSON at all \x01\x02");
}

TEST_CASE("owned event: it is padded like the original, without and with extensions") {
  for (const char* more : {"", R"(,"one":"1")", R"(,"one":"1","two":"a\"b")"}) {
    std::string before;
    const OwnedEvent owned =
        owned_from(R"({"specversion":"1.0","id":"1","source":"/s","type":"t")" + std::string(more) + "}", before);
    const sluice_event& event = owned.view();
    std::uint32_t end = event.json.at + event.json.len;
    for (const sluice_slice slice : {event.id, event.data}) end = std::max(end, slice.at + slice.len);
    std::string read(event.text + end, SLUICE_PADDING);  // a sanitizer sees what is not ours
    CHECK(read.size() == SLUICE_PADDING);
    CHECK((event.extension_count == 0) == (event.extensions == nullptr));
  }
}

TEST_CASE("owned event: a copy of a copy, moved about, says the same") {
  std::string before;
  OwnedEvent first = owned_from(
      R"({"specversion":"1.0","id":"a\"b","source":"/s","type":"t","ext":"v","empty":"","data":null})", before);
  OwnedEvent second(first.view());
  const OwnedEvent third = std::move(second);
  first = OwnedEvent();
  CHECK(picture(third.view()) == before);
}
