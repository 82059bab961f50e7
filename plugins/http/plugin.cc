// Module http: events in over HTTP, events out by webhook.
#include "source.hh"
#include "webhook.hh"

extern "C" {
extern const char schema_http_json[];
extern const char schema_webhook_json[];
}

SLUICE_MODULE(sluice::source<sluice_http::Source>({.name = "http",
                                                   .version = "1.0.0",
                                                   .summary = "Takes CloudEvents over HTTP and answers when they are "
                                                              "settled.",
                                                   .schema = schema_http_json}),
              sluice::backend<sluice_http::Webhook>({.name = "webhook",
                                                     .version = "1.0.0",
                                                     .summary = "Sends events by HTTP POST to a URL.",
                                                     .schema = schema_webhook_json,
                                                     .flags = SLUICE_REPLICABLE}))
