// Module alerting: observers that tell people what happens, without flooding them.
#include "alert_node.hh"
#include "email.hh"
#include "slack.hh"
#include "webhook.hh"

extern "C" const char email_schema_json[];
extern "C" const char slack_schema_json[];
extern "C" const char alert_webhook_schema_json[];

SLUICE_MODULE(sluice::consumer<alerting::AlertNode<alerting::Slack>>(
                  {.name = "slack",
                   .version = "1.0.0",
                   .summary = "Alerts to a Slack channel: grouped, repeated, resolved, silenced.",
                   .schema = slack_schema_json,
                   .flags = SLUICE_OBSERVER | SLUICE_DURABLE}),
              sluice::consumer<alerting::AlertNode<alerting::Webhook>>(
                  {.name = "alert_webhook",
                   .version = "1.0.0",
                   .summary = "Alerts as JSON by HTTP POST: grouped, repeated, resolved, silenced.",
                   .schema = alert_webhook_schema_json,
                   .flags = SLUICE_OBSERVER | SLUICE_DURABLE}),
              sluice::consumer<alerting::AlertNode<alerting::Email>>(
                  {.name = "email",
                   .version = "1.0.0",
                   .summary = "Alerts by mail: grouped, repeated, resolved, silenced; one lane for each recipient.",
                   .schema = email_schema_json,
                   .flags = SLUICE_OBSERVER | SLUICE_DURABLE}))
