// The ledger: what a source is told of each record, and when.
#include "core/ledger.hh"

#include "catch.hh"

#include <initializer_list>
#include <string>

using namespace sluice;
using Fold = Ledger::Fold;

namespace {

/// What was settled since the last call: "7 delivered; 8 retry 503 away".
std::string settled(Ledger& ledger) {
  std::vector<Settlement> settlements;
  ledger.take_settlements(settlements);
  std::string out;
  for (const Settlement& one : settlements) {
    if (!out.empty()) out += "; ";
    out += std::to_string(one.tag) + " " + to_text(one.outcome);
    if (one.code != 0) out += " " + std::to_string(one.code);
    if (!one.reason.empty()) out += " " + one.reason;
  }
  return out;
}

/// The events that ended since the last call: "12 delivered 1/2".
std::string ended(Ledger& ledger) {
  std::vector<EventEnd> ends;
  ledger.take_ended(ends);
  std::string out;
  for (const EventEnd& one : ends) {
    if (!out.empty()) out += "; ";
    out += std::to_string(one.seq) + " " + to_text(one.outcome) + " " + std::to_string(one.delivered) + "/" +
           std::to_string(one.owed_total);
  }
  return out;
}

Completion done(PageId page, std::uint32_t origin, Outcome outcome, std::string reason = "", std::int32_t code = 0,
                std::uint32_t count = 1) {
  return {page, origin, count, outcome, code, std::move(reason)};
}

/// A closed page with one record per tag, one event per record, and `debts` owed for each.
PageId page_of(Ledger& ledger, std::initializer_list<std::uint64_t> tags, std::uint32_t debts,
               std::uint64_t first_seq = 1) {
  const PageId page = ledger.open(first_seq);
  for (const std::uint64_t tag : tags) {
    const std::uint32_t origin = ledger.add_event(page, ledger.add_record(page, tag));
    for (std::uint32_t i = 0; i < debts; ++i) ledger.owe(page, origin);
  }
  ledger.close(page);
  return page;
}

}  // namespace

TEST_CASE("ledger: a record is settled when its last delivery came and not before") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = page_of(ledger, {7, 8}, 2);
  CHECK(ledger.open_records() == 2);
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(ledger.complete(done(page, 1, Outcome::delivered)));
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(page, 1, Outcome::delivered)));
  CHECK(settled(ledger) == "8 delivered");
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "7 delivered");
  CHECK(ledger.empty());
  CHECK(ledger.open_records() == 0);
}

TEST_CASE("ledger: the worst outcome counts, when all must deliver") {
  struct Row {
    Outcome first, second, expected;
  };
  const Row row = GENERATE(values<Row>({{Outcome::delivered, Outcome::dropped, Outcome::dropped},
                                        {Outcome::rejected, Outcome::delivered, Outcome::rejected},
                                        {Outcome::retry, Outcome::rejected, Outcome::retry},
                                        {Outcome::rejected, Outcome::retry, Outcome::retry},
                                        {Outcome::delivered, Outcome::delivered, Outcome::delivered}}));
  Ledger ledger(Fold::max, false, false);
  const PageId page = page_of(ledger, {1}, 2);
  CHECK(ledger.complete(done(page, 0, row.first)));
  CHECK(ledger.complete(done(page, 0, row.second)));
  CHECK(settled(ledger) == std::string("1 ") + to_text(row.expected));
}

TEST_CASE("ledger: the best outcome counts, when any may deliver") {
  Ledger ledger(Fold::min, false, false);
  const PageId page = page_of(ledger, {1, 2, 3}, 2);
  CHECK(ledger.complete(done(page, 0, Outcome::retry, "away")));
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(ledger.complete(done(page, 1, Outcome::retry, "away")));
  CHECK(ledger.complete(done(page, 1, Outcome::rejected, "no such topic", 404)));
  CHECK(ledger.complete(done(page, 2, Outcome::rejected, "too long", 413)));
  CHECK(ledger.complete(done(page, 2, Outcome::retry, "away", 503)));
  CHECK(settled(ledger) == "1 delivered; 2 rejected 404 no such topic; 3 rejected 413 too long");
}

TEST_CASE("ledger: any hears at the first delivery, and the page stays for the straggler") {
  Ledger ledger(Fold::min, false, false);
  const PageId page = page_of(ledger, {5}, 2);
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "5 delivered");
  CHECK(ledger.open_records() == 0);
  CHECK(ledger.is_open(page));
  CHECK_FALSE(ledger.empty());
  CHECK(ledger.complete(done(page, 0, Outcome::retry, "an hour later")));
  CHECK(settled(ledger).empty());
  CHECK_FALSE(ledger.is_open(page));
  CHECK(ledger.empty());
}

TEST_CASE("ledger: nothing is settled before the page is closed, when deliveries outrun the routing") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t first = ledger.add_event(page, ledger.add_record(page, 1));
  ledger.owe(page, first);
  CHECK(ledger.complete(done(page, first, Outcome::delivered)));
  CHECK(settled(ledger).empty());
  ledger.owe(page, first);  // another backend is routed to after the first one answered
  ledger.close(page);
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(page, first, Outcome::delivered)));
  CHECK(settled(ledger) == "1 delivered");
}

TEST_CASE("ledger: an event that reached nobody is dropped, never delivered") {
  Ledger ledger(GENERATE(Fold::max, Fold::min), false, false);
  page_of(ledger, {1, 2}, 0);
  CHECK(settled(ledger) == "1 dropped; 2 dropped");
  CHECK(ledger.empty());
}

TEST_CASE("ledger: a verdict counts beside the deliveries") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t origin = ledger.add_event(page, ledger.add_record(page, 1));
  ledger.owe(page, origin);
  ledger.contribute(page, origin, Outcome::rejected, 0, "rejected by early_check");
  ledger.close(page);
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(page, origin, Outcome::delivered)));
  CHECK(settled(ledger) == "1 rejected rejected by early_check");
}

TEST_CASE("ledger: a record's outcome is the worst of its events, with that event's reason") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t record = ledger.add_record(page, 9);
  for (int i = 0; i < 3; ++i) ledger.owe(page, ledger.add_event(page, record), 1);
  ledger.close(page);
  CHECK(ledger.complete(done(page, 1, Outcome::rejected, "second", 400)));
  CHECK(ledger.complete(done(page, 2, Outcome::retry, "third", 503)));
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "9 retry 503 third");
}

TEST_CASE("ledger: the reason is that of the outcome told, when milder failures come while it is still open") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t record = ledger.add_record(page, 9);
  for (int i = 0; i < 2; ++i) {
    const std::uint32_t origin = ledger.add_event(page, record);
    ledger.owe(page, origin);
    ledger.owe(page, origin);
  }
  ledger.close(page);
  CHECK(ledger.complete(done(page, 0, Outcome::retry, "worst", 503)));
  CHECK(ledger.complete(done(page, 1, Outcome::rejected, "milder", 400)));
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(ledger.complete(done(page, 1, Outcome::delivered)));
  CHECK(settled(ledger) == "9 retry 503 worst");
}

TEST_CASE("ledger: a worse outcome without a reason does not carry the reason of a milder one") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = page_of(ledger, {9}, 2);
  CHECK(ledger.complete(done(page, 0, Outcome::rejected, "milder", 400)));
  CHECK(ledger.complete(done(page, 0, Outcome::retry, "", 503)));
  CHECK(settled(ledger) == "9 retry 503");
}

TEST_CASE("ledger: the reason of a failure is forgotten, when any backend delivered after it") {
  Ledger ledger(Fold::min, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t record = ledger.add_record(page, 9);
  for (int i = 0; i < 2; ++i) ledger.owe(page, ledger.add_event(page, record));
  ledger.owe(page, 0);
  ledger.close(page);
  CHECK(ledger.complete(done(page, 0, Outcome::retry, "healed", 503)));
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(ledger.complete(done(page, 1, Outcome::rejected, "the other event", 400)));
  CHECK(settled(ledger) == "9 rejected 400 the other event");
}

TEST_CASE("ledger: a marked event ends no better than its mark, whatever becomes of its dead letter") {
  Ledger ledger(GENERATE(Fold::max, Fold::min), false, false);
  const auto [outcome, expected] = GENERATE(table<Outcome, std::string>({
      {Outcome::delivered, "4 rejected 10002 no event"},
      {Outcome::rejected, "4 rejected 10002 no event"},
      {Outcome::retry, "4 retry 10004 the dead letter's queue is full"},
  }));
  const PageId page = ledger.open(1);
  const std::uint32_t origin = ledger.add_event(page, ledger.add_record(page, 4));
  ledger.mark(page, origin, Outcome::rejected, 10002, "no event");
  ledger.owe(page, origin);
  ledger.close(page);
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(page, origin, outcome, "the dead letter's queue is full", 10004)));
  CHECK(settled(ledger) == expected);
  CHECK(ledger.empty());
}

TEST_CASE("ledger: an event is not answered before observers' disks have it, and that says nothing about its end") {
  for (const Fold fold : {Fold::max, Fold::min}) {
    Ledger ledger(fold, false, false);
    const PageId page = ledger.open(1);
    const std::uint32_t event = ledger.add_event(page, ledger.add_record(page, 7));
    const std::uint32_t watched = ledger.add_event(page, ledger.add_record(page, 8));
    ledger.owe(page, event);
    ledger.owe_keeping(page, event, 2);
    ledger.close(page);
    CHECK(ledger.complete({page, event, 1, Outcome::delivered, 0, {}}));
    CHECK(settled(ledger).empty());
    CHECK_FALSE(ledger.complete({page, event, 1, Outcome::delivered, 0, {}}));  // the debt that is left is another
    CHECK(ledger.complete({page, event, 2, Outcome::delivered, 0, {}, false, true}));
    CHECK(settled(ledger) == "7 delivered; 8 dropped");  // nobody but the observer had the second
    CHECK_FALSE(ledger.is_open(page));
    CHECK(watched == 1);
  }
}

TEST_CASE("ledger: an event that an observer's disk could not keep comes again, though it was delivered") {
  for (const Fold fold : {Fold::max, Fold::min}) {
    Ledger ledger(fold, true, false);
    const PageId page = ledger.open(1);
    const std::uint32_t event = ledger.add_event(page, ledger.add_record(page, 7));
    ledger.owe(page, event);
    ledger.owe_keeping(page, event);
    ledger.close(page);
    CHECK(ledger.complete({page, event, 1, Outcome::retry, 4, "not kept", false, true}));
    CHECK(settled(ledger).empty());
    CHECK(ledger.complete({page, event, 1, Outcome::delivered, 0, {}}));
    CHECK(settled(ledger) == "7 retry 4 not kept");
  }
}

TEST_CASE("ledger: a record without an event is settled as it was said, or dropped when nothing was said") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t undecodable = ledger.add_record(page, 1);
  (void)ledger.add_record(page, 2);  // an empty batch
  ledger.settle_record(page, undecodable, Outcome::rejected, 10002, "json_syntax");
  CHECK(settled(ledger).empty());
  ledger.close(page);
  CHECK(settled(ledger) == "1 rejected 10002 json_syntax; 2 dropped");
  CHECK(ledger.empty());
}

TEST_CASE("ledger: a derived event shares its cause's outcome") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t cause = ledger.add_event(page, ledger.add_record(page, 1));
  const std::uint32_t derived = ledger.add_event(page, ledger.record_of(page, cause), true);
  ledger.owe(page, cause);
  ledger.owe(page, derived);
  ledger.close(page);
  CHECK(ledger.complete(done(page, cause, Outcome::delivered)));
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(page, derived, Outcome::retry, "away")));
  CHECK(settled(ledger) == "1 retry away");
}

TEST_CASE("ledger: a derived event that nobody wanted says nothing about its cause") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = ledger.open(1);
  const std::uint32_t cause = ledger.add_event(page, ledger.add_record(page, 1));
  (void)ledger.add_event(page, ledger.record_of(page, cause), true);
  ledger.owe(page, cause);
  ledger.close(page);
  CHECK(ledger.complete(done(page, cause, Outcome::delivered)));
  CHECK(settled(ledger) == "1 delivered");
}

TEST_CASE("ledger: records leave in the order of their pulls, when the source asks for order") {
  Ledger ledger(Fold::max, true, false);
  const PageId first = page_of(ledger, {1, 2, 3}, 1);
  const PageId second = page_of(ledger, {4, 5}, 1);
  CHECK(ledger.complete(done(second, 0, Outcome::delivered, "", 0, 2)));
  CHECK(ledger.complete(done(first, 1, Outcome::retry, "away")));
  CHECK(settled(ledger).empty());
  CHECK(ledger.open_records() == 2);
  CHECK(ledger.complete(done(first, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "1 delivered; 2 retry away");
  CHECK(ledger.complete(done(first, 2, Outcome::delivered)));
  CHECK(settled(ledger) == "3 delivered; 4 delivered; 5 delivered");
  CHECK(ledger.empty());
}

TEST_CASE("ledger: a pull without a debt waits its turn, when the source asks for order") {
  Ledger ledger(Fold::max, true, false);
  const PageId first = page_of(ledger, {1}, 1);
  page_of(ledger, {2}, 0);
  page_of(ledger, {}, 0);
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(first, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "1 delivered; 2 dropped");
  CHECK(ledger.empty());
}

TEST_CASE("ledger: order holds over an early answer, and the straggler still finds its page") {
  Ledger ledger(Fold::min, true, false);
  const PageId first = page_of(ledger, {1}, 2);
  const PageId second = page_of(ledger, {2}, 2);
  CHECK(ledger.complete(done(second, 0, Outcome::delivered)));
  CHECK(settled(ledger).empty());
  CHECK(ledger.complete(done(first, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "1 delivered; 2 delivered");
  CHECK(ledger.is_open(first));
  CHECK(ledger.complete(done(first, 0, Outcome::retry)));
  CHECK(ledger.complete(done(second, 0, Outcome::delivered)));
  CHECK(settled(ledger).empty());
  CHECK(ledger.empty());
}

TEST_CASE("ledger: a completion that is not owed is refused and changes nothing") {
  Ledger ledger(Fold::max, false, false);
  const PageId page = page_of(ledger, {1, 2}, 1);
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK_FALSE(ledger.complete(done(page, 0, Outcome::retry)));                // twice
  CHECK_FALSE(ledger.complete(done(page, 0, Outcome::delivered, "", 0, 2)));  // its first event is settled
  CHECK_FALSE(ledger.complete(done(page, 1, Outcome::delivered, "", 0, 2)));  // beyond the page
  CHECK_FALSE(ledger.complete(done(page, 0xffffffff, Outcome::delivered, "", 0, 2)));
  CHECK_FALSE(ledger.complete(done(page + 1, 1, Outcome::delivered)));  // no such page
  CHECK_FALSE(ledger.complete(done(0, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "1 delivered");
  CHECK(ledger.complete(done(page, 1, Outcome::delivered)));
  CHECK(settled(ledger) == "2 delivered");
}

TEST_CASE("ledger: a page's room is used again under another name, so that a late completion finds nothing") {
  Ledger ledger(Fold::max, false, false);
  const PageId old = page_of(ledger, {1}, 1);
  CHECK(ledger.complete(done(old, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "1 delivered");
  CHECK_FALSE(ledger.is_open(old));
  const PageId fresh = page_of(ledger, {2}, 1);
  CHECK(fresh != old);
  CHECK(static_cast<std::uint32_t>(fresh) == static_cast<std::uint32_t>(old));  // the same slot
  CHECK_FALSE(ledger.complete(done(old, 0, Outcome::rejected)));
  CHECK(ledger.complete(done(fresh, 0, Outcome::delivered)));
  CHECK(settled(ledger) == "2 delivered");
}

TEST_CASE("ledger: nothing of a page's past shows in its next use") {
  Ledger ledger(Fold::max, false, false);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const bool fails = round % 2 == 1;
    const PageId page = page_of(ledger, {round}, 1);
    CHECK(ledger.complete(done(page, 0, fails ? Outcome::retry : Outcome::delivered, fails ? "away" : "")));
    CHECK(settled(ledger) == std::to_string(round) + (fails ? " retry away" : " delivered"));
    CHECK(ledger.empty());
  }
}

TEST_CASE("ledger: one straggler keeps its own page and no other") {
  Ledger ledger(Fold::max, false, false);
  const PageId straggler = page_of(ledger, {1}, 1);
  for (std::uint64_t tag = 2; tag < 100; ++tag) {
    const PageId page = page_of(ledger, {tag}, 1);
    CHECK(static_cast<std::uint32_t>(page) <= 1);  // two slots are enough
    CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
    CHECK_FALSE(ledger.is_open(page));
  }
  CHECK(ledger.is_open(straggler));
  CHECK(ledger.open_records() == 1);
  CHECK(ledger.complete(done(straggler, 0, Outcome::delivered)));
}

TEST_CASE("ledger: watchers hear of each event once, when its last delivery came") {
  Ledger ledger(Fold::min, false, true);
  const PageId page = ledger.open(100);
  for (std::uint64_t tag = 1; tag <= 3; ++tag) (void)ledger.add_event(page, ledger.add_record(page, tag));
  ledger.owe(page, 0, 2);
  ledger.owe(page, 0, 1);
  CHECK(ledger.complete(done(page, 1, Outcome::retry)));  // before the page is closed
  CHECK(ended(ledger).empty());
  ledger.close(page);
  CHECK(ended(ledger) == "101 retry 0/1; 102 dropped 0/0");
  CHECK(ledger.complete(done(page, 0, Outcome::delivered)));
  CHECK(ended(ledger).empty());  // the source has heard; those who count backends have not
  CHECK(ledger.complete(done(page, 0, Outcome::retry)));
  CHECK(ended(ledger) == "100 delivered 1/2");
}

TEST_CASE("ledger: an event is told of once when all it waits for is away, and only after a delivery") {
  Ledger ledger(Fold::min, false, true);
  const PageId page = page_of(ledger, {1}, 3);
  const auto so_far = [&] {
    std::vector<EventSoFar> events;
    ledger.take_so_far(events);
    std::string out;
    for (const EventSoFar& one : events) {
      out += std::to_string(one.delivered) + "/" + std::to_string(one.owed_total) + " " + std::to_string(one.waiting);
    }
    return out;
  };
  Completion waits = done(page, 0, Outcome::retry);
  waits.waiting = Waiting::begins;
  Completion back = done(page, 0, Outcome::delivered);
  back.waiting = Waiting::ends;

  ledger.waits(waits);
  CHECK(so_far().empty());
  CHECK(ledger.complete(back));  // one delivered, and it waits no more; the other two are being tried
  CHECK(so_far().empty());
  ledger.waits(waits);
  CHECK(so_far().empty());
  ledger.waits(waits);
  CHECK(so_far() == "1/3 2");
  CHECK(ledger.complete(back));
  CHECK(so_far().empty());
  CHECK(ledger.complete(back));
  CHECK(so_far().empty());
  CHECK(ended(ledger) == "1 delivered 3/3");
  CHECK(settled(ledger) == "1 delivered");
  CHECK(ledger.empty());
}
