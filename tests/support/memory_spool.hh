// A spool's store in memory, with a disk's manners: what was not synced vanishes in a crash, all of it or a part.
#pragma once

#include "core/spool_store.hh"

#include <algorithm>
#include <cstring>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sluice::test {

/// The disk itself: outlives the stores that are opened over it, as a folder outlives its processes.
struct MemoryDisk {
  struct File {
    std::string bytes;
    std::size_t synced = 0;
  };
  std::map<std::uint64_t, File> segments;
  std::map<std::uint64_t, std::string> aside, torn;
  std::string cursor, durable_cursor;
  std::vector<std::string> rejected;
  std::uint64_t most_bytes = ~std::uint64_t{0};  // room for segments
  bool owned = false;
  std::uint64_t syncs = 0, removed = 0;
  UnderWay under_way;
  /// Asked before every call that changes something: "create", "append", "sync", "cut", "remove", "cursor", "rejected".
  std::function<SpoolFault(std::string_view what)> fault;

  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& [first, file] : segments) sum += file.bytes.size();
    return sum;
  }
  /// The machine stops. `survives` says how many of `unsynced` bytes happen to be on the disk.
  void crash(const std::function<std::size_t(std::size_t unsynced)>& survives, bool cursor_survives) {
    owned = false;
    for (auto file = segments.begin(); file != segments.end();) {
      File& f = file->second;
      f.bytes.resize(f.synced + survives(f.bytes.size() - f.synced));
      f.synced = f.bytes.size();
      file = f.bytes.empty() ? segments.erase(file) : std::next(file);
    }
    if (!cursor_survives) cursor = durable_cursor;
    durable_cursor = cursor;
  }
};

class MemorySpool final : public SpoolStore {
 public:
  explicit MemorySpool(MemoryDisk& disk) : disk_(disk) {}
  ~MemorySpool() override { MemorySpool::close(); }

  SpoolAnswer open(SpoolListing& out) override {
    if (disk_.owned) return {SpoolFault::broken, "memory: is in use"};
    disk_.owned = mine_ = true;
    for (const auto& [first, file] : disk_.segments) out.segments.push_back({first, file.bytes.size()});
    out.cursor = disk_.cursor;
    for (const std::string& line : disk_.rejected) out.rejected_bytes += line.size();
    return {};
  }
  std::string place() const override { return "memory"; }
  SpoolAnswer create(std::uint64_t first) override {
    if (const SpoolFault fault = ask("create"); fault != SpoolFault::none) return {fault, "create: made to fail"};
    if (disk_.segments.contains(first)) return {SpoolFault::broken, "the segment exists"};
    disk_.segments[newest_ = first];
    return {};
  }
  SpoolAnswer append(std::string_view bytes) override {
    std::string& file = disk_.segments.at(newest_).bytes;
    SpoolFault fault = ask("append");
    if (fault == SpoolFault::none && disk_.bytes() + bytes.size() > disk_.most_bytes) fault = SpoolFault::no_room;
    if (fault != SpoolFault::none) {
      file.append(bytes.substr(0, bytes.size() / 2));
      return {fault, "append: made to fail"};
    }
    file.append(bytes);
    return {};
  }
  SpoolAnswer sync() override {
    if (const SpoolFault fault = ask("sync"); fault != SpoolFault::none) return {fault, "sync: made to fail"};
    MemoryDisk::File& file = disk_.segments.at(newest_);
    file.synced = file.bytes.size();
    ++disk_.syncs;
    return {};
  }
  std::int64_t read(std::uint64_t first, std::uint64_t offset, char* into, std::size_t size) override {
    if (ask("read") != SpoolFault::none) return -1;
    const auto found = disk_.segments.find(first);
    if (found == disk_.segments.end()) return -1;
    const std::string& bytes = found->second.bytes;
    if (offset >= bytes.size()) return 0;
    const std::size_t got = std::min<std::size_t>(size, bytes.size() - static_cast<std::size_t>(offset));
    std::memcpy(into, bytes.data() + offset, got);
    return static_cast<std::int64_t>(got);
  }
  SpoolAnswer cut(std::uint64_t first, std::uint64_t bytes, bool keep_tail) override {
    if (const SpoolFault fault = ask("cut"); fault != SpoolFault::none) return {fault, "cut: made to fail"};
    MemoryDisk::File& file = disk_.segments.at(first);
    if (keep_tail) disk_.torn[first] = file.bytes.substr(static_cast<std::size_t>(bytes));
    file.bytes.resize(static_cast<std::size_t>(bytes));
    file.synced = std::min(file.synced, file.bytes.size());
    return {};
  }
  SpoolAnswer remove(std::uint64_t first) override {
    if (const SpoolFault fault = ask("remove"); fault != SpoolFault::none) return {fault, "remove: made to fail"};
    disk_.segments.erase(first);
    ++disk_.removed;
    return {};
  }
  SpoolAnswer set_aside(std::uint64_t first) override {
    if (const SpoolFault fault = ask("remove"); fault != SpoolFault::none) return {fault, "set aside: made to fail"};
    disk_.aside[first] = disk_.segments.at(first).bytes;
    disk_.segments.erase(first);
    return {};
  }
  SpoolAnswer write_cursor(std::string_view bytes, bool durable) override {
    if (const SpoolFault fault = ask("cursor"); fault != SpoolFault::none) return {fault, "cursor: made to fail"};
    disk_.cursor = bytes;
    if (durable) disk_.durable_cursor = bytes;
    return {};
  }
  SpoolAnswer add_rejected(std::string_view line) override {
    if (const SpoolFault fault = ask("rejected"); fault != SpoolFault::none) return {fault, "rejected: made to fail"};
    disk_.rejected.emplace_back(line);
    return {};
  }
  UnderWay* under_way() noexcept override { return &disk_.under_way; }
  void close() noexcept override {
    if (mine_) disk_.owned = false;
    mine_ = false;
  }

 private:
  SpoolFault ask(std::string_view what) { return disk_.fault ? disk_.fault(what) : SpoolFault::none; }
  MemoryDisk& disk_;
  std::uint64_t newest_ = 0;
  bool mine_ = false;
};

}  // namespace sluice::test
