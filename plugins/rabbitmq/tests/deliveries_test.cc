#include "deliveries.hh"

#include "catch.hh"

using rabbitmq::Deliveries;
using rabbitmq::Message;

namespace {

/// Takes in messages with these delivery tags and hands them over; returns the host's tags.
std::vector<std::uint64_t> arrive(Deliveries& deliveries, std::uint64_t first, std::uint64_t last) {
  std::vector<std::uint64_t> tags;
  for (std::uint64_t tag = first; tag <= last; ++tag) {
    Message message;
    message.delivery_tag = tag;
    REQUIRE(deliveries.arrived(message));
    tags.push_back(deliveries.waiting()->tag);
    deliveries.handed();
  }
  return tags;
}

void acknowledge(Deliveries& deliveries, std::uint64_t tag) {
  REQUIRE(deliveries.find(tag) != nullptr);
  deliveries.acknowledge(*deliveries.find(tag));
}

}  // namespace

TEST_CASE("deliveries: what is settled in order is acknowledged at once") {
  Deliveries deliveries(8);
  for (const std::uint64_t tag : arrive(deliveries, 1, 5)) acknowledge(deliveries, tag);
  const Deliveries::Acks& acks = deliveries.take_acks();
  CHECK(acks.up_to == 5);
  CHECK(acks.single.empty());
  CHECK(deliveries.open() == 0);
}

TEST_CASE("deliveries: what lies behind an open one is acknowledged by itself, so that the window moves on") {
  Deliveries deliveries(8);
  const auto tags = arrive(deliveries, 1, 5);
  for (const std::size_t i : {0u, 1u, 3u, 4u}) acknowledge(deliveries, tags[i]);
  const Deliveries::Acks acks = deliveries.take_acks();
  CHECK(acks.up_to == 2);
  CHECK(acks.single == std::vector<std::uint64_t>{4, 5});
  acknowledge(deliveries, tags[2]);
  CHECK(deliveries.take_acks().up_to == 3);
  CHECK(deliveries.take_acks().up_to == 0);
}

TEST_CASE("deliveries: a message that is settled out of order is never acknowledged along with an open one") {
  Deliveries deliveries(4);
  const auto tags = arrive(deliveries, 1, 4);
  acknowledge(deliveries, tags[3]);
  const Deliveries::Acks acks = deliveries.take_acks();
  CHECK(acks.up_to == 0);
  CHECK(acks.single == std::vector<std::uint64_t>{4});
}

TEST_CASE("deliveries: a tag of a lost connection finds nothing, though its place is used again") {
  Deliveries deliveries(2);
  const auto old = arrive(deliveries, 1, 2);
  deliveries.forget();
  const auto fresh = arrive(deliveries, 1, 2);
  CHECK(deliveries.find(old[0]) == nullptr);
  CHECK(deliveries.find(old[1]) == nullptr);
  acknowledge(deliveries, fresh[0]);
  CHECK(deliveries.take_acks().up_to == 1);
}

TEST_CASE("deliveries: a lost connection takes acknowledgements with it that were not sent yet") {
  Deliveries deliveries(4);
  const auto tags = arrive(deliveries, 1, 3);
  acknowledge(deliveries, tags[0]);
  deliveries.forget();
  CHECK(deliveries.take_acks().up_to == 0);
  CHECK(deliveries.take_acks().single.empty());
}

TEST_CASE("deliveries: no more than the window is held") {
  Deliveries deliveries(2);
  Message message;
  CHECK(deliveries.arrived(message));
  CHECK(deliveries.arrived(message));
  CHECK_FALSE(deliveries.arrived(message));
}

TEST_CASE("deliveries: a held one comes back when its time has come, once, and keeps what it is") {
  Deliveries deliveries(4);
  const auto tags = arrive(deliveries, 1, 2);
  deliveries.find(tags[0])->failures = 1;
  deliveries.hold(*deliveries.find(tags[0]), 1000);
  deliveries.hold(*deliveries.find(tags[1]), 500);
  CHECK(deliveries.next_due_ms() == 500u);
  int released = 0;
  const auto offer = [&](Deliveries::Place& place) {
    ++released;
    deliveries.offer_again(place);
  };
  deliveries.release_due(499, offer);
  CHECK(released == 0);
  deliveries.release_due(1000, offer);
  deliveries.release_due(2000, offer);
  CHECK(released == 2);
  CHECK_FALSE(deliveries.next_due_ms().has_value());
  CHECK(deliveries.find(tags[0])->failures == 1);
  CHECK(deliveries.has_waiting());
}

TEST_CASE("deliveries: places are used again for ever without a leak") {
  Deliveries deliveries(3);
  std::uint64_t tag = 1;
  for (int round = 0; round < 1000; ++round) {
    const auto tags = arrive(deliveries, tag, tag + 2);
    tag += 3;
    acknowledge(deliveries, tags[1]);
    acknowledge(deliveries, tags[2]);
    acknowledge(deliveries, tags[0]);
    CHECK(deliveries.take_acks().up_to == tag - 1);
  }
}
