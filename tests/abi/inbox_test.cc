#include <sluice/cpp/inbox.hh>
#include <sluice/cpp/writer_view.hh>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "catch.hh"

namespace {

std::atomic<int> wakes{0};

sluice_host quiet_host() {
  sluice_host host{};
  host.size = sizeof host;
  host.wake = [](const sluice_host*) { wakes.fetch_add(1); };
  return host;
}

}  // namespace

TEST_CASE("inbox: one wake for each change from empty to not empty", "[abi][inbox]") {
  const sluice_host host = quiet_host();
  wakes = 0;
  sluice::Inbox<std::string> inbox(sluice::HostView(host), 10, 1000);
  std::string out;
  CHECK_FALSE(inbox.take(out));
  CHECK(inbox.put("a"));
  CHECK(inbox.put("b"));
  CHECK(wakes == 1);
  CHECK(inbox.take(out));
  CHECK(inbox.put("c"));
  CHECK(wakes == 1);
  CHECK(inbox.take(out));
  CHECK(inbox.take(out));
  CHECK(out == "c");
  CHECK(inbox.put("d"));
  CHECK(wakes == 2);
}

TEST_CASE("inbox: it is bounded in messages and in bytes, and one large message always fits", "[abi][inbox]") {
  const sluice_host host = quiet_host();
  sluice::Inbox<int> inbox(sluice::HostView(host), 2, 100);
  CHECK(inbox.put(1, 5000));
  CHECK_FALSE(inbox.has_room());
  CHECK_FALSE(inbox.put(2, 1));
  int out = 0;
  CHECK(inbox.take(out));
  CHECK(inbox.put(3, 50));
  CHECK_FALSE(inbox.put(4, 51));
  CHECK(inbox.put(5, 50));
  CHECK_FALSE(inbox.put(6, 0));
  CHECK(inbox.take(out));
  inbox.put_back(out, 50);
  CHECK(inbox.take(out));
  CHECK(out == 3);
  CHECK(inbox.size() == 1);
}

TEST_CASE("inbox: nothing is lost and the lane is never left asleep, with several threads that put", "[abi][inbox]") {
  const sluice_host host = quiet_host();
  wakes = 0;
  constexpr int kThreads = 3, kEach = 20'000;
  sluice::Inbox<std::unique_ptr<int>> inbox(sluice::HostView(host), 64, 1'000'000);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&inbox, t] {
      for (int i = 0; i < kEach; ++i) {
        while (!inbox.has_room()) std::this_thread::yield();
        auto message = std::make_unique<int>(t * kEach + i);
        while (!inbox.put(std::make_unique<int>(*message), 8)) std::this_thread::yield();
      }
    });
  }
  std::vector<int> next(kThreads, 0);
  int taken = 0;
  int seen_wakes = 0;
  while (taken < kThreads * kEach) {
    while (wakes.load() == seen_wakes) std::this_thread::yield();  // as a lane sleeps: until it is woken
    seen_wakes = wakes.load();
    std::unique_ptr<int> message;
    while (inbox.take(message)) {
      const int thread = *message / kEach;
      REQUIRE(*message % kEach == next[static_cast<std::size_t>(thread)]++);
      ++taken;
    }
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(inbox.size() == 0);
}

TEST_CASE("writer: records go into the host's memory, and what does not fit is refused", "[abi][writer]") {
  std::array<sluice_record, 2> records{};
  std::array<std::uint8_t, 16> bytes{};
  sluice_writer raw{};
  raw.size = sizeof raw;
  raw.stride = sizeof(sluice_record);
  raw.cap = 2;
  raw.records = records.data();
  raw.bytes = bytes.data();
  raw.bytes_cap = bytes.size();
  raw.grow = [](sluice_writer*, std::uint32_t, std::uint64_t) -> std::int32_t { return 0; };
  sluice::WriterView writer(raw);
  CHECK(writer.add("12345678", 7, "pos"));
  CHECK_FALSE(writer.add("123456789", 8));
  CHECK(writer.emit("12345678", 1, 2));
  CHECK_FALSE(writer.emit("", 0));
  CHECK(writer.size() == 2);
  CHECK(records[0].tag == 7);
  CHECK(records[0].parent == SLUICE_NO_PARENT);
  CHECK(sluice::view(records[0].position) == "pos");
  CHECK(records[1].port == 2);
  CHECK(std::string(reinterpret_cast<const char*>(records[1].ptr), records[1].len) == "12345678");
}
