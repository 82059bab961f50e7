#include "binding.hh"

#include "driver.hh"

using namespace rabbit_test;
using rabbitmq::Message;
using rabbitmq::Reading;

namespace {

Message message(const std::string& content_type, const std::vector<rabbitmq::Field>& fields) {
  Message made;
  made.content_type = content_type;
  for (const rabbitmq::Field& field : fields) made.add_field() = field;
  return made;
}

std::string attribute(const Reading& reading, std::string_view name) {
  for (const sluice_attribute& each : reading.attributes) {
    if (sluice::view(each.name) == name) return std::string(sluice::view(each.value));
  }
  return "(none)";
}

Reading read(const Message& from) {
  Reading reading;
  rabbitmq::read_message(from, reading);
  return reading;
}

}  // namespace

TEST_CASE("binding: the content type alone says that the body is a whole event") {
  const Message structured = message("application/cloudevents+json; charset=utf-8", {{"ce-id", "header"}});
  CHECK(read(structured).flags == SLUICE_SINGLE);
  CHECK(read(structured).attributes.empty());
  CHECK(read(message("application/cloudevents-batch+json", {})).flags == SLUICE_BATCHED);
}

TEST_CASE("binding: attributes are read from headers of each of the three ways to name them") {
  for (const std::string prefix : {"ce-", "cloudEvents_", "cloudEvents:"}) {
    const Message from = message("text/plain", {{"x-other", "1"},
                                                {prefix + "specversion", "1.0"},
                                                {prefix + "id", "m-1"},
                                                {prefix + "prio", "5", SLUICE_INTEGER}});
    const Reading reading = read(from);
    CHECK(reading.flags == SLUICE_ATTRIBUTES);
    CHECK(attribute(reading, "id") == "m-1");
    CHECK(attribute(reading, "prio") == "5");
    CHECK(attribute(reading, "datacontenttype") == "text/plain");
    CHECK(attribute(reading, "x-other") == "(none)");
  }
}

TEST_CASE("binding: headers of two ways in one message are no attributes, so that it is refused") {
  const Message from = message("", {{"cloudEvents_specversion", "1.0"}, {"cloudEvents:id", "m-1"}});
  CHECK(attribute(read(from), "cloudEvents:id") == "m-1");
  CHECK(attribute(read(from), "id") == "(none)");
}

TEST_CASE("binding: the correlation id of the properties is the attribute where no header says it") {
  Message from = message("", {{"ce-id", "1"}});
  from.correlation_id = "c-1";
  CHECK(attribute(read(from), "correlationid") == "c-1");
  from.add_field() = {"ce-correlationid", "c-2"};
  CHECK(attribute(read(from), "correlationid") == "c-2");
}

TEST_CASE("binding: a body that is another envelope comes with what its properties say") {
  Message from = message("application/json", {{"x-other", "1"}});
  from.message_id = "m-7";
  from.correlation_id = "c-7";
  const Reading reading = read(from);
  CHECK(reading.flags == 0);
  CHECK(attribute(reading, "id") == "m-7");
  CHECK(attribute(reading, "correlationid") == "c-7");
  CHECK(attribute(reading, "datacontenttype") == "(none)");
}
