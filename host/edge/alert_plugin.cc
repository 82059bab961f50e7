#include "edge/alert_plugin.hh"

#include "core/setup_error.hh"
#include "edge/plugin_border.hh"

#include <sluice/ext/alert.h>
#include <sluice/cpp/text.hh>

#include <sstream>

namespace sluice {
namespace {

struct Sink : sluice_text_sink {
  explicit Sink(std::ostream& to) : sluice_text_sink{}, out(to) {
    size = sizeof(sluice_text_sink);
    write = [](const sluice_text_sink* self, sluice_str text) { static_cast<const Sink*>(self)->out << view(text); };
  }
  std::ostream& out;
};

}  // namespace

struct AlertPlugin::Inside {
  Inside(const LoadedClass& loaded, PluginHost& host, const NodeServices& services) : border(loaded, host, services) {}
  Border border;
  const sluice_alerts* alerts = nullptr;

  template <class Call>
  Status ask(const char* name, Call&& call) {
    Status status;
    status.code = border.call_with_error(name, status.text, call);
    if (!status.ok() && status.text.empty()) status.text = std::string(name) + "(): " + status_text(status.code);
    return status;
  }
};

AlertPlugin::AlertPlugin(const LoadedClass& loaded, const NodeSeat& seat, const NodeServices& services) {
  PluginHost& host = PluginHost::make(loaded.module, seat.name, seat.replica, seat.replicas, services);
  inside_ = std::make_unique<Inside>(loaded, host, services);
  Status status;
  inside_->border.create(seat.config_json, status);
  if (!status.ok()) throw SetupError(seat.name + ": " + status.text);
  const sluice_class& table = inside_->border.table();
  if (SLUICE_HAS(&table, sluice_class, extension) && table.extension != nullptr) {
    inside_->border.call_void("extension", [&] {
      inside_->alerts = static_cast<const sluice_alerts*>(table.extension(&table, SLUICE_ALERTS));
    });
  }
  const sluice_alerts* alerts = inside_->alerts;
  if (alerts == nullptr || !SLUICE_HAS(alerts, sluice_alerts, silences) || alerts->test == nullptr ||
      alerts->render == nullptr || alerts->silences == nullptr) {
    throw SetupError(seat.name + ": its class sends no alerts (" SLUICE_ALERTS ")");
  }
}

AlertPlugin::~AlertPlugin() = default;

Status AlertPlugin::test(std::chrono::milliseconds timeout) {
  return inside_->ask("test", [&](sluice_error* error) {
    return inside_->alerts->test(inside_->border.node(), to_ms(timeout), error);
  });
}

Status AlertPlugin::render(const sluice_batch* batch, std::ostream& out) {
  const Sink sink(out);
  return inside_->ask("render", [&](sluice_error* error) {
    return inside_->alerts->render(inside_->border.node(), batch, &sink, error);
  });
}

std::string AlertPlugin::silences_path() {
  std::ostringstream path;
  const Sink sink(path);
  (void)inside_->ask(
      "silences", [&](sluice_error* error) { return inside_->alerts->silences(inside_->border.node(), &sink, error); });
  return path.str();
}

}  // namespace sluice
