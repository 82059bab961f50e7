#include "core/consumer_source.hh"

#include "core/dialect.hh"
#include "core/map_reader.hh"

#include <algorithm>

namespace sluice {
namespace {

// The document's configuration reference.
constexpr const char* kStream = "stage1:cleaning:events";
constexpr const char* kGroup = "stage2-nlp-processor";
constexpr const char* kRedisHost = "redis-cache";
constexpr std::int64_t kRedisPort = 6379;
constexpr std::int64_t kRedisDb = 1;
constexpr std::int64_t kPollMs = 1000;
constexpr std::int64_t kBacklogBatch = 100;
constexpr std::int64_t kBacklogHours = 24;
constexpr std::array kAddressParts{"redis_host", "redis_port", "redis_db", "redis_password"};

/// %XX for what would end a password in a URL.
std::string escaped(const std::string& text) {
  constexpr const char* kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.';
    const auto byte = static_cast<unsigned char>(c);
    if (plain) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Value address_of(const Value& config, const Value& section, Problems& problems) {
  MapReader parts(&config, section.path, problems);
  const std::string host = parts.text("redis_host").value_or(kRedisHost);
  const std::int64_t port = parts.integer("redis_port", 1, 65'535).value_or(kRedisPort);
  const std::int64_t db = parts.integer("redis_db", 0, 1'000'000).value_or(kRedisDb);
  Value made = make_string("", section);
  std::string password;
  if (const auto text = parts.text("redis_password"); text && !text->empty()) {
    password = ":" + escaped(*text) + "@";  // shown as *** like any URL's
  }
  made.string = "redis://" + password + host + ":" + std::to_string(port) + "/" + std::to_string(db);
  return made;
}

/// `redis_url`, or the address in the document's parts. The parts leave the config: one address says it all.
void put_address(Value& config, const Value& section, Problems& problems) {
  if (const Value* url = config.find("redis_url"); url == nullptr) {
    config.put("url", address_of(config, section, problems));
  } else {
    for (const char* part : kAddressParts) {
      if (const Value* written = config.find(part)) note_idle(problems, *written, "redis_url wins over it");
    }
    config.put("url", *url);
  }
  std::erase_if(config.map, [](const auto& member) {
    return member.first == "redis_url" || std::ranges::find(kAddressParts, member.first) != kAddressParts.end();
  });
}

void override_stream(Value& config, const Surroundings& surroundings, Problems& problems) {
  const auto stream = override_of(surroundings, "STAGE1_EVENT_STREAM");
  const Value* written = config.find("source_stream");
  if (!stream || (written != nullptr && written->file == kSetFile)) return;
  if (written != nullptr) note_idle(problems, *written, "STAGE1_EVENT_STREAM is set in the environment and wins");
  config.put("source_stream", from_environment("STAGE1_EVENT_STREAM", *stream));
}

}  // namespace

Value consumer_source_config(MapReader& keys, const Value& section, const Surroundings& surroundings,
                             Problems& problems) {
  Value config = make_map(section);
  for (const char* key : kConsumerSourceKeys) {
    if (const Value* written = keys.take_some(key)) config.put(key, *written);
  }
  override_stream(config, surroundings, problems);
  put_default(config, "source_stream", make_string(kStream, section));
  put_default(config, "consumer_group", make_string(kGroup, section));
  put_default(config, "consumer_name",
              make_string(override_of(surroundings, "HOSTNAME").value_or(surroundings.host_name()), section));
  put_default(config, "poll_interval_ms", make_integer(kPollMs, section));
  put_default(config, "batch_size", make_integer(kConsumerBatchSize, section));
  put_default(config, "process_backlog", make_boolean(false, section));
  put_default(config, "backlog_batch_size", make_integer(kBacklogBatch, section));
  put_default(config, "backlog_max_age_hours", make_integer(kBacklogHours, section));
  put_address(config, section, problems);
  return config;
}

}  // namespace sluice
