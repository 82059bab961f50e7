#include "edge/plugin_filters.hh"

#include "core/filter.hh"

#include <sluice/host.h>
#include <sluice/cpp/text.hh>

#include <algorithm>
#include <cstring>
#include <new>
#include <string>
#include <utility>

struct sluice_filter {
  sluice::Filter compiled;
};

namespace sluice {

namespace {

void write(sluice_error* error, std::string_view text) noexcept {
  if (error == nullptr || error->text == nullptr) return;
  error->len = static_cast<std::uint32_t>(std::min<std::size_t>(text.size(), error->cap));
  std::memcpy(error->text, text.data(), error->len);
}

sluice_status compile(const sluice_host*, sluice_str json, sluice_filter** out, sluice_error* error) {
  *out = nullptr;
  try {
    std::string why;
    auto filter = Filter::parse(view(json), why);
    if (!filter) {
      write(error, why);
      return SLUICE_BAD_CONFIG;
    }
    *out = new sluice_filter{std::move(*filter)};
    return SLUICE_OK;
  } catch (const std::bad_alloc&) {
    write(error, "not enough memory for the filter");
    return SLUICE_FAILED;
  }
}

std::int32_t matches(const sluice_filter* filter, const sluice_event* event) {
  return filter->compiled.matches(*event) ? 1 : 0;
}

void release(sluice_filter* filter) { delete filter; }

}  // namespace

const sluice_filters& plugin_filters() noexcept {
  static constexpr sluice_filters kFilters{sizeof(sluice_filters), 0, &compile, &matches, &release};
  return kFilters;
}

}  // namespace sluice
