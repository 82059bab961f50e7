#include "edge/plugin_check/guarded_batch.hh"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

namespace sluice::check {
namespace {

struct Region {
  const char* begin = nullptr;
  const char* end = nullptr;  // the guard page included
  char name[64] = {};
  std::atomic<const char*> forbidden{nullptr};
};
constexpr std::size_t kRegionsMax = 65536;
// Static, since a signal handler reads it; all zeros known at compile time, so that its pages stay untouched (and cost
// no memory) in every process that checks no plugin.
constinit Region regions[kRegionsMax];
constinit std::atomic<std::size_t> region_count{0};

std::string random_text(std::mt19937_64& random, std::size_t bytes) {
  static constexpr char kLetters[] = "abcdefghijklmnopqrstuvwxyz0123456789-./ ";
  std::string out(bytes, ' ');
  for (char& c : out) c = kLetters[random() % (sizeof kLetters - 1)];
  return out;
}

/// One event as JSON, and where its attributes lie in it: the views point into the text as received.
std::string make_event(std::mt19937_64& random, std::uint64_t seq, sluice_event& event) {
  std::string json = R"({"specversion":"1.0")";
  const auto put = [&](const char* name, const std::string& value, sluice_slice& slice) {
    json.append(",\"").append(name).append("\":\"");
    slice = {static_cast<std::uint32_t>(json.size()), static_cast<std::uint32_t>(value.size())};
    json.append(value).append("\"");
  };
  put("id", "check-" + std::to_string(seq), event.id);
  put("source", "/sluice/plugin-check", event.source);
  put("type", random() % 2 == 0 ? "com.example.checked" : "extraction.completed", event.type);
  if (random() % 2 == 0) put("subject", random_text(random, 1 + random() % 40), event.subject);
  if (random() % 2 == 0) {
    put("time", "2024-01-02T03:04:05.678Z", event.time);
    event.time_s = 1704164645;
    event.time_ns = 678000000;
    event.flags |= SLUICE_HAS_TIME;
  }
  if (random() % 4 != 0) {
    const std::size_t size = random() % 8 == 0 ? random() % 8192 : random() % 200;
    json += ",\"data\":";
    const std::string data = random() % 8 == 0 ? "null"
                                               : "{\"n\":" + std::to_string(random() % 1000) + ",\"text\":\"" +
                                                     random_text(random, size) + "\"}";
    event.data = {static_cast<std::uint32_t>(json.size()), static_cast<std::uint32_t>(data.size())};
    json += data;
    event.flags |= SLUICE_HAS_DATA;
  }
  json += '}';
  event.json = {0, static_cast<std::uint32_t>(json.size())};
  event.seq = seq;
  return json;
}

}  // namespace

GuardedPages::GuardedPages(const std::string& name, std::size_t bytes) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  page_bytes_ = (bytes + page - 1) / page * page;
  if (page_bytes_ == 0) page_bytes_ = page;
  void* memory = mmap(nullptr, page_bytes_ + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) std::abort();
  pages_ = static_cast<char*>(memory);
  mprotect(pages_ + page_bytes_, page, PROT_NONE);
  data_ = pages_ + page_bytes_ - bytes;
  region_ = region_count.load();
  if (region_ >= kRegionsMax) std::abort();
  Region& region = regions[region_];
  region.begin = pages_;
  region.end = pages_ + page_bytes_ + page;
  std::snprintf(region.name, sizeof region.name, "%s", name.c_str());
  region_count.store(region_ + 1);
}

void GuardedPages::make_read_only() noexcept { mprotect(pages_, page_bytes_, PROT_READ); }

void GuardedPages::forbid(const char* why) noexcept {
  regions[region_].forbidden.store(why);
  mprotect(pages_, page_bytes_, PROT_NONE);
}

const char* explain_fault(const void* address, bool write) noexcept {
  static char text[160];
  const auto* at = static_cast<const char*>(address);
  const std::size_t count = region_count.load();
  for (std::size_t i = 0; i < count; ++i) {
    if (at < regions[i].begin || at >= regions[i].end) continue;
    const char* why = regions[i].forbidden.load();
    if (why == nullptr) why = write ? "although it is read-only or ends before" : "beyond its end";
    const char* how = write ? " was written to " : " was read ";
    text[0] = 0;
    std::strncat(text, regions[i].name, 63);
    std::strncat(text, how, 20);
    std::strncat(text, why, 60);
    return text;
  }
  return nullptr;
}

GuardedBatch::GuardedBatch(std::uint32_t count, std::uint64_t first_ticket, std::uint64_t first_seq, std::uint64_t seed)
    : views_("the batch's list of events", count * sizeof(sluice_event)), left_(count) {
  std::mt19937_64 random(seed);
  auto* events = reinterpret_cast<sluice_event*>(views_.data());
  for (std::uint32_t i = 0; i < count; ++i) {
    sluice_event event{};
    const std::string json = make_event(random, first_seq + i, event);
    GuardedPages& pages = texts_.emplace_back("event " + std::to_string(i), json.size() + SLUICE_PADDING);
    std::memcpy(pages.data(), json.data(), json.size());
    std::memset(pages.data() + json.size(), 0, SLUICE_PADDING);
    event.text = pages.data();
    pages.make_read_only();
    std::memcpy(&events[i], &event, sizeof event);
  }
  views_.make_read_only();
  batch_ = {sizeof(sluice_batch), count, sizeof(sluice_event), 0, events, first_ticket};
}

sluice_batch GuardedBatch::rest(std::uint32_t index) const noexcept {
  sluice_batch out = batch_;
  out.count -= index;
  out.events = static_cast<const char*>(batch_.events) + std::size_t{index} * batch_.stride;
  out.ticket += index;
  return out;
}

void GuardedBatch::complete(std::uint32_t index) noexcept {
  texts_[index].forbid("after its completion");
  if (--left_ == 0) views_.forbid("after the last completion");
}

void GuardedBatch::end() noexcept {
  for (GuardedPages& pages : texts_) pages.forbid("after process() had returned");
  views_.forbid("after process() had returned");
}

}  // namespace sluice::check
