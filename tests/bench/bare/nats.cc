// bare_nats MODE FILE PORT WINDOW — each line to a subject by nats.c. MODE js: js_PublishAsync into the stream EV
// (file storage), at most WINDOW unacknowledged; every acknowledgement is waited for and every error ends it. MODE id:
// the same with a Nats-Msg-Id of its own for each. MODE core: publish, and a flush at the end.
#include "measured.hh"

#include <nats/nats.h>

#include <string>

namespace {

void must(natsStatus status, const char* what) {
  if (status == NATS_OK) return;
  std::fprintf(stderr, "nats: %s: %s\n", what, natsStatus_GetText(status));
  std::exit(1);
}

void not_acknowledged(jsCtx*, jsPubAckErr* error, void*) {
  std::fprintf(stderr, "nats: %s\n", error->ErrText);
  std::exit(1);
}

constexpr std::int64_t kPatienceMs = 60'000;

}  // namespace

int main(int, char** arguments) {
  const std::string mode = arguments[1], url = std::string("nats://127.0.0.1:") + arguments[3];
  natsConnection* connection = nullptr;
  must(natsConnection_ConnectTo(&connection, url.c_str()), "connect");
  jsCtx* stream = nullptr;
  jsOptions options;
  jsOptions_Init(&options);
  options.PublishAsync.MaxPending = std::atoi(arguments[4]);
  options.PublishAsync.StallWait = kPatienceMs;
  options.PublishAsync.ErrHandler = not_acknowledged;
  must(natsConnection_JetStream(&stream, connection, &options), "JetStream");

  std::string_view line;
  std::uint64_t sent = 0;
  const bare::Stopwatch watch;
  bare::Lines lines(arguments[2]);
  while (lines.next(line)) {
    const int bytes = static_cast<int>(line.size());
    if (mode == "core") {
      must(natsConnection_Publish(connection, "core.doc", line.data(), bytes), "publish");
    } else {
      jsPubOptions each;
      jsPubOptions_Init(&each);
      const std::string id = mode == "id" ? "/nlp/stage2/extraction " + std::to_string(sent) : std::string();
      if (mode == "id") each.MsgId = id.c_str();
      must(js_PublishAsync(stream, "ev.doc", line.data(), bytes, mode == "id" ? &each : nullptr), "publish");
    }
    ++sent;
  }
  if (mode == "core") {
    must(natsConnection_FlushTimeout(connection, kPatienceMs), "flush");
  } else {
    jsPubOptions all;
    jsPubOptions_Init(&all);
    all.MaxWait = kPatienceMs;
    must(js_PublishAsyncComplete(stream, &all), "acknowledgements");
  }
  watch.report(sent, lines.bytes());
  jsCtx_Destroy(stream);
  natsConnection_Destroy(connection);
  return 0;
}
