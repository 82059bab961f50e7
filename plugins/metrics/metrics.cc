#include "metrics.hh"

#include <algorithm>

namespace metrics {
namespace {

constexpr std::uint32_t kTickMs = 1000;

void set(sluice_cell* cell, std::uint64_t count) {
  if (cell != nullptr) __atomic_store_n(&cell->count, count, __ATOMIC_RELAXED);
}
void set(sluice_cell* cell, double value) {
  if (cell != nullptr) __atomic_store(&cell->value, &value, __ATOMIC_RELAXED);
}

bool is_one_of(const std::vector<std::string>& types, std::string_view type) {
  return std::any_of(types.begin(), types.end(), [&](const std::string& one) { return one == type; });
}

std::vector<std::string> pointers_of(const sluice::ConfigView& config) {
  std::vector<std::string> all;
  for (std::uint32_t i = 0; i < config.count("fields"); ++i) {
    all.push_back(config.text("fields/" + std::to_string(i) + "/pointer"));
  }
  return all;
}

}  // namespace

std::vector<Metrics::Field> Metrics::fields_from(const sluice::ConfigView& config, std::vector<NamedField>& named) {
  std::vector<Field> all;
  for (std::uint32_t i = 0; i < config.count("fields"); ++i) {
    const std::string at = "fields/" + std::to_string(i) + "/";
    Field field;
    field.pointer = config.text(at + "pointer");
    field.types = config.texts(at + "types");
    const std::string name = config.has(at + "name") ? config.text(at + "name") : field.pointer;
    for (const NamedField& other : named) {
      if (other.name == name) throw sluice::BadConfig("fields: two of them are named '" + name + "'");
    }
    named.push_back({name, {}});
    all.push_back(std::move(field));
  }
  return all;
}

Metrics::Metrics(sluice::HostView host, sluice::ConfigView config)
    : host_(host),
      success_types_(config.texts("success_types")),
      failure_types_(config.texts("failure_types")),
      fields_(fields_from(config, named_)),
      reader_(pointers_of(config)),
      types_([this](std::string_view type) { return make_type(type); }),
      throughput_(static_cast<std::uint64_t>(config.integer("window")) * 1'000'000),
      values_(fields_.size()) {}

TypeCount Metrics::make_type(std::string_view type) {
  TypeCount made{std::string(type), 0, Judged::neither, 0};
  if (is_one_of(success_types_, type)) made.judged = Judged::success;
  if (is_one_of(failure_types_, type)) made.judged = Judged::failure;
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    if (fields_[i].types.empty() || is_one_of(fields_[i].types, type)) made.fields |= 1u << i;
  }
  type_cells_.push_back(
      host_.cell(SLUICE_COUNTER, "observed_events_total", "Events seen by this observer, by type.", {{"type", type}}));
  return made;
}

sluice_status Metrics::process(sluice::BatchView batch, std::uint8_t*, sluice_writer*, sluice_error&) {
  for (const sluice::EventView event : batch) {
    TypeCount& type = types_[types_.number_of(event.type())];
    ++type.count;
    passed_ += type.judged == Judged::success ? 1 : 0;
    failed_ += type.judged == Judged::failure ? 1 : 0;
    if (type.fields != 0) follow_fields(event, type.fields);
  }
  const std::uint64_t now = host_.now_ns();
  throughput_.add(now, batch.size());
  show(now);
  return SLUICE_OK;
}

void Metrics::follow_fields(sluice::EventView event, std::uint32_t wanted) {
  reader_.read(event, wanted, values_);
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (!values_[i]) continue;
    named_[i].stats.add(*values_[i]);
    values_[i].reset();
  }
}

std::uint32_t Metrics::tick(std::uint64_t now_ns, sluice_writer*) {
  show(now_ns);
  return kTickMs;
}

/// Once per batch and second, not per event.
void Metrics::show(std::uint64_t now_ns) {
  for (std::size_t i = 0; i < types_.all().size(); ++i) set(type_cells_[i], types_.all()[i].count);
  if (rate_ == nullptr && passed_ + failed_ > 0) {
    rate_ = host_.cell(SLUICE_GAUGE, "observed_success_ratio", "Successes among the successes and failures, 0 to 1.");
  }
  if (rate_ != nullptr) set(rate_, static_cast<double>(passed_) / static_cast<double>(passed_ + failed_));
  if (per_second_ == nullptr) {
    per_second_ = host_.cell(SLUICE_GAUGE, "observed_events_per_second", "Events per second over the window.");
  }
  set(per_second_, throughput_.now(now_ns));
  for (std::size_t i = 0; i < fields_.size(); ++i) {
    Field& field = fields_[i];
    const FieldStats& stats = named_[i].stats;
    if (stats.count == 0) continue;
    if (field.count == nullptr) {
      const auto cell = [&](std::int32_t kind, std::string_view name, std::string_view help) {
        return host_.cell(kind, name, help, {{"field", named_[i].name}});
      };
      field.count = cell(SLUICE_COUNTER, "observed_field_values_total", "How often the field was seen.");
      field.sum = cell(SLUICE_GAUGE, "observed_field_sum", "Sum of the field's values.");
      field.min = cell(SLUICE_GAUGE, "observed_field_min", "Smallest value of the field.");
      field.max = cell(SLUICE_GAUGE, "observed_field_max", "Largest value of the field.");
      field.mean = cell(SLUICE_GAUGE, "observed_field_mean", "Mean of the field's values.");
      field.last = cell(SLUICE_GAUGE, "observed_field_last", "Newest value of the field.");
    }
    set(field.count, stats.count);
    set(field.sum, stats.sum);
    set(field.min, stats.min);
    set(field.max, stats.max);
    set(field.mean, stats.mean());
    set(field.last, stats.last);
  }
}

}  // namespace metrics
