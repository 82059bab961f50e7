#include "options.hh"

#include <cmath>

namespace redis_streams {

Options read_options(sluice::ConfigView config) {
  Options options;
  options.address = parse_address(config.text("url"));
  options.stream = config.text("stream_name");
  options.field = config.text("field");
  options.max_len = static_cast<std::uint64_t>(config.integer("max_len"));
  options.ttl = std::chrono::seconds(config.integer("ttl_seconds"));
  options.timeout = std::chrono::milliseconds(std::llround(config.number("connection_pool/timeout") * 1000));
  options.window = static_cast<std::uint32_t>(config.integer("window"));
  return options;
}

}  // namespace redis_streams
