#include "group_facts.hh"

#include <algorithm>
#include <charconv>

namespace redis_streams {
namespace {

std::uint64_t number_in(const Reply& map, std::string_view name) {
  const Reply* found = map.find(name);
  return found == nullptr || found->number < 0 ? 0 : static_cast<std::uint64_t>(found->number);
}
std::optional<std::uint64_t> maybe_in(const Reply& map, std::string_view name) {
  const Reply* found = map.find(name);
  if (found == nullptr || found->kind != Reply::Kind::number || found->number < 0) return std::nullopt;
  return static_cast<std::uint64_t>(found->number);
}
StreamId id_in(const Reply& map, std::string_view name) {
  const Reply* found = map.find(name);
  return found == nullptr ? StreamId{} : parse_id(found->text);
}

}  // namespace

std::optional<std::uint64_t> GroupFacts::lost_unread() const noexcept {
  if (!added || !read) return std::nullopt;
  if (!behind_the_trim()) return std::nullopt;  // nothing was lost in front of the group; older losses are known
  const std::uint64_t accounted = *read + length;
  return *added > accounted ? *added - accounted : 0;
}

GroupFacts group_facts(const Reply& stream, const Reply& groups, std::string_view group) {
  GroupFacts facts;
  if (stream.kind == Reply::Kind::list) {
    facts.stream_exists = true;
    facts.length = number_in(stream, "length");
    facts.last_generated = id_in(stream, "last-generated-id");
    facts.added = maybe_in(stream, "entries-added");
    const Reply* first = stream.find("first-entry");
    if (first != nullptr && !first->list.empty()) facts.first = parse_id(first->list.front().text);
  }
  for (const Reply& one : groups.list) {
    const Reply* name = one.find("name");
    if (name == nullptr || name->text != group) continue;
    facts.group_exists = true;
    facts.pending = number_in(one, "pending");
    facts.last_delivered = id_in(one, "last-delivered-id");
    facts.read = maybe_in(one, "entries-read");
    facts.lag = maybe_in(one, "lag");
  }
  return facts;
}

std::vector<Pending> pending_of(const Reply& reply) {
  std::vector<Pending> all;
  for (const Reply& row : reply.list) {
    if (row.list.size() < 4) continue;
    all.push_back({parse_id(row.list[0].text), row.list[1].text, static_cast<std::uint64_t>(row.list[2].number),
                   static_cast<std::uint64_t>(row.list[3].number)});
  }
  return all;
}

Choice choose(const std::vector<Pending>& pending, const std::vector<StreamId>& here, std::string_view consumer,
              const ChoiceRules& rules) {
  Choice choice;
  for (const Pending& one : pending) {
    if ((one.consumer == consumer) != rules.own || one.idle_ms < rules.idle_ms_min) continue;
    if (std::ranges::binary_search(here, one.id)) continue;
    if (rules.deliveries_max != 0 && one.deliveries >= rules.deliveries_max)
      choice.worn_out.push_back(one);
    else
      choice.claim.push_back(one.id);
  }
  return choice;
}

int server_version(std::string_view info) {
  constexpr std::string_view kName = "redis_version:";
  const std::size_t at = info.find(kName);
  if (at == std::string_view::npos) return 0;
  const char* end = info.data() + info.size();
  int major = 0, minor = 0;
  const auto [dot, error] = std::from_chars(info.data() + at + kName.size(), end, major);
  if (error == std::errc{} && dot != end && *dot == '.') std::from_chars(dot + 1, end, minor);
  return major * 1000 + minor;
}

}  // namespace redis_streams
