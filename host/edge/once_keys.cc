#include "edge/once_keys.hh"

#include "core/data_field.hh"
#include "core/limits.hh"

#include <string_view>
#include <vector>

namespace sluice {

OnceKeys::OnceKeys(const DedupPolicy::Once& once, MakeStore make)
    : space_(once_key_space(once.key)), make_(std::move(make)) {}

Status OnceKeys::recorded(std::span<const sluice_str> values, std::uint8_t* recorded) {
  const std::lock_guard lock(mutex_);
  if (store_ == nullptr) {
    auto made = make_();
    if (made == nullptr) return {SLUICE_FAILED, "the store of keys cannot be made"};
    if (Status status = made->start(limits::kKeyStoreTimeout); !status.ok()) return status;
    store_ = std::move(made);
  }
  // A consumer reads 7 and "7" alike; as keys they are two.
  std::vector<KeyHash> keys;
  std::string spelled;
  for (const sluice_str& value : values) {
    for (const bool is_text : {true, false}) {
      spelled.clear();
      spell_member(spelled, {value.ptr, value.len}, is_text);
      keys.push_back(hash_.key(space_, spelled));
    }
  }
  std::vector<std::uint8_t> present(keys.size());
  Status status = store_->lookup(keys, present.data());
  if (!status.ok()) return status;
  for (std::size_t i = 0; i < values.size(); ++i) recorded[i] = present[2 * i] | present[2 * i + 1];
  return status;
}

}  // namespace sluice
