// The desk: every caller is answered exactly once, and no place is lost.
#include "desk.hh"
#include "catch.hh"

#include <random>

using sluice_http::Answer;
using sluice_http::Desk;
using sluice_http::Request;

namespace {

struct Caller : sluice_http::Caller {
  void answer(Answer answer) override { said.push_back(answer.status); }
  std::vector<unsigned> said;
};

std::shared_ptr<Caller> park(Desk& desk, std::uint64_t deadline_ns = 1000, const std::string& body = "body") {
  Request* const request = desk.reserve();
  if (request == nullptr) return nullptr;
  auto caller = std::make_shared<Caller>();
  request->body = body;
  request->caller = caller;
  request->deadline_ns = deadline_ns;
  desk.park(*request);
  return caller;
}

std::uint64_t pull(Desk& desk) {
  const std::uint64_t tag = desk.oldest()->tag;
  desk.pulled();
  return tag;
}

const sluice_settlement delivered(std::uint64_t tag) { return {tag, SLUICE_WAS_DELIVERED, 0, {}}; }

}  // namespace

TEST_CASE("desk: a place is free again once its request is settled, under another tag", "[http][desk]") {
  Desk desk(1, false);
  const auto first = park(desk);
  CHECK(park(desk) == nullptr);
  const std::uint64_t tag = pull(desk);
  CHECK(desk.settle(delivered(tag), 1));
  CHECK(first->said == std::vector<unsigned>{202});
  const auto second = park(desk);
  REQUIRE(second != nullptr);
  const std::uint64_t next = pull(desk);
  CHECK(next != tag);
  CHECK_FALSE(desk.settle(delivered(tag), 1));
  CHECK(second->said.empty());
  CHECK(desk.settle(delivered(next), 1));
  CHECK_FALSE(desk.settle(delivered(next), 1));
  CHECK_FALSE(desk.settle(delivered(77), 1));
}

TEST_CASE("desk: who waited too long is answered by how far the request came", "[http][desk]") {
  Desk desk(3, false);
  const auto pulled = park(desk, 10), waiting = park(desk, 10), patient = park(desk, 100);
  const std::uint64_t tag = pull(desk);
  desk.expire(10, 1);
  CHECK(pulled->said == std::vector<unsigned>{504});
  CHECK(waiting->said == std::vector<unsigned>{503});
  CHECK(patient->said.empty());
  CHECK(desk.oldest()->caller == patient);  // the one that was given up is not pulled any more
  CHECK(desk.settle(delivered(tag), 1));
  CHECK(pulled->said.size() == 1);
}

TEST_CASE("desk: a request that never gets pulled frees its place when it expires", "[http][desk]") {
  Desk desk(1, false);
  for (int i = 0; i < 5; ++i) {
    REQUIRE(park(desk, 10) != nullptr);
    desk.expire(10, 1);
  }
  CHECK(desk.waiting_bytes() == 0);
  CHECK_FALSE(desk.has_waiting());
}

TEST_CASE("desk: random orders of parking, pulling, settling and expiring answer everybody once", "[http][desk]") {
  std::mt19937 random(20261101);
  Desk desk(8, false);
  std::vector<std::shared_ptr<Caller>> callers;
  std::vector<std::uint64_t> tags;
  std::uint64_t now = 0;
  for (int step = 0; step < 20'000; ++step) {
    switch (random() % 5) {
      case 0:
      case 1:
        if (auto caller = park(desk, now + random() % 20)) callers.push_back(caller);
        break;
      case 2:
        if (desk.oldest() != nullptr) tags.push_back(pull(desk));
        break;
      case 3:
        if (!tags.empty()) {
          std::swap(tags[random() % tags.size()], tags.back());
          REQUIRE(desk.settle(delivered(tags.back()), 1));
          tags.pop_back();
        }
        break;
      default:
        desk.expire(++now, 1);
    }
    REQUIRE(desk.in_use() <= 8);
  }
  desk.refuse_waiting();
  for (const std::uint64_t tag : tags) REQUIRE(desk.settle(delivered(tag), 1));
  CHECK(desk.in_use() == 0);
  CHECK(desk.waiting_bytes() == 0);
  for (const auto& caller : callers) REQUIRE(caller->said.size() == 1);
}
