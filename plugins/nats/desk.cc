#include "desk.hh"

#include "library.hh"

#include <sluice/cpp/guard.hh>

namespace nats {

using sluice::Away;

struct Desk::State {
  OptionsHandle options;
  ConnectionHandle connection;
  JetStream jet;
};

namespace {

constexpr std::int64_t nanoseconds(milliseconds time) noexcept { return time.count() * 1'000'000; }

bool is_absent(natsStatus status, jsErrCode code) {
  return status == NATS_NOT_FOUND || code == JSStreamNotFoundErr || code == JSConsumerNotFoundErr;
}

[[noreturn]] void refused(const std::string& what, natsStatus status) {
  std::string why = what + ": " + words(status);
  if (status == NATS_NO_RESPONDERS) why += ": JetStream is not enabled on this server (nats-server --jetstream)";
  if (status == NATS_TIMEOUT) why += ": no answer; may this user publish to $JS.API.> and subscribe to its inbox?";
  throw Away(why);
}

Desk::Consumer facts_of(const jsConsumerInfo& info) {
  const jsConsumerConfig& config = *info.Config;
  return {.ack_wait = milliseconds(config.AckWait / 1'000'000),
          .pending = info.NumPending,
          .ack_pending = static_cast<std::uint64_t>(info.NumAckPending),
          .filter = std::string(text(config.FilterSubject)),
          .can_be_pulled = text(config.DeliverSubject).empty() && config.AckPolicy == js_AckExplicit};
}

}  // namespace

Desk::Desk(const Address& address, milliseconds timeout) : state_(std::make_unique<State>()) {
  state_->options = make_options(address, timeout);
  natsConnection* raw = nullptr;
  if (const natsStatus status = natsConnection_Connect(&raw, state_->options.get()); status != NATS_OK) {
    cannot_connect(address, status);
  }
  state_->connection.reset(raw);
  jsOptions options;
  jsOptions_Init(&options);
  options.Wait = timeout.count();
  jsCtx* context = nullptr;
  set(natsConnection_JetStream(&context, raw, &options), "JetStream");
  state_->jet.reset(context);
}

Desk::~Desk() = default;

std::optional<std::vector<std::string>> Desk::subjects_of(const std::string& stream) {
  jsStreamInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status = js_GetStreamInfo(&raw, state_->jet.get(), stream.c_str(), nullptr, &code);
  const StreamInfo info(raw);
  if (is_absent(status, code)) return std::nullopt;
  if (status != NATS_OK) refused("stream '" + stream + "'", status);
  return std::vector<std::string>(info->Config->Subjects, info->Config->Subjects + info->Config->SubjectsLen);
}

std::uint64_t Desk::last_sequence(const std::string& stream) {
  jsStreamInfo* raw = nullptr;
  const natsStatus status = js_GetStreamInfo(&raw, state_->jet.get(), stream.c_str(), nullptr, nullptr);
  const StreamInfo info(raw);
  if (status != NATS_OK) refused("stream '" + stream + "'", status);
  return info->State.LastSeq;
}

Desk::Held Desk::held_by(const std::string& stream) {
  jsStreamInfo* raw = nullptr;
  const natsStatus status = js_GetStreamInfo(&raw, state_->jet.get(), stream.c_str(), nullptr, nullptr);
  const StreamInfo info(raw);
  if (status != NATS_OK) refused("stream '" + stream + "'", status);
  return {info->State.Msgs, info->State.Msgs == 0 ? 0 : info->State.FirstTime};
}

bool Desk::make_stream(const StreamOptions& wanted) {
  jsStreamConfig config;
  jsStreamConfig_Init(&config);
  std::vector<const char*> subjects;
  for (const std::string& subject : wanted.subjects) subjects.push_back(subject.c_str());
  config.Name = wanted.name.c_str();
  config.Subjects = subjects.data();
  config.SubjectsLen = static_cast<int>(subjects.size());
  config.Storage = wanted.memory ? js_MemoryStorage : js_FileStorage;
  config.MaxAge = nanoseconds(wanted.max_age);
  config.Duplicates = nanoseconds(wanted.duplicate_window);
  if (wanted.max_bytes > 0) config.MaxBytes = wanted.max_bytes;
  if (wanted.max_messages > 0) config.MaxMsgs = wanted.max_messages;
  config.Replicas = wanted.replicas;
  jsErrCode code{};
  const natsStatus status = js_AddStream(nullptr, state_->jet.get(), &config, nullptr, &code);
  if (code == JSStreamSubjectOverlapErr) return false;
  if (status != NATS_OK) refused("stream '" + wanted.name + "' cannot be made", status);
  return true;
}

std::optional<Desk::Consumer> Desk::find_consumer(const std::string& stream, const std::string& durable) {
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status =
      js_GetConsumerInfo(&raw, state_->jet.get(), stream.c_str(), durable.c_str(), nullptr, &code);
  const ConsumerInfo info(raw);
  if (is_absent(status, code)) return std::nullopt;
  if (status != NATS_OK) refused("consumer '" + durable + "'", status);
  return facts_of(*info);
}

Desk::Consumer Desk::make_consumer(const ConsumerOptions& wanted) {
  jsConsumerConfig config;
  jsConsumerConfig_Init(&config);
  config.Durable = wanted.durable.c_str();
  config.AckPolicy = js_AckExplicit;
  config.DeliverPolicy = wanted.from_new ? js_DeliverNew : js_DeliverAll;
  config.AckWait = nanoseconds(wanted.ack_wait);
  config.MaxDeliver = wanted.max_deliver;
  config.MaxAckPending = wanted.max_ack_pending;
  config.InactiveThreshold = nanoseconds(wanted.inactive_threshold);
  if (!wanted.filter.empty()) config.FilterSubject = wanted.filter.c_str();
  jsConsumerInfo* raw = nullptr;
  jsErrCode code{};
  const natsStatus status = js_AddConsumer(&raw, state_->jet.get(), wanted.stream.c_str(), &config, nullptr, &code);
  const ConsumerInfo info(raw);
  if (status != NATS_OK) refused("consumer '" + wanted.durable + "' cannot be made", status);
  return facts_of(*info);
}

}  // namespace nats
