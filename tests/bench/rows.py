"""All rows, in the order of the table."""
from broker_rows import Kafka, NatsCore, NatsStream, RabbitMQ, RedisPy, RedisStreams, TwoBackends
from local_rows import Decode, EventLog, Schema, Spool
from slack_row import SlackHangs
from source_rows import KafkaSource, RedisSource
from webhook_rows import BATCH, Webhook

ROWS = [
    Decode("null", "file → decode, validation, metrics → null", "each line parsed fully (DOM), attributes read", 0.8,
           "null.yaml", "bench file metrics validation"),
    Schema("schema", "file → json_schema → null", "RapidJSON and valijson over the same schemas", 0.8, "schema.yaml",
           "bench file validation"),
    EventLog("event_log", "file → event_log (no fsync)", "write() of the same lines in 1 MiB blocks", 0.6,
             "event_log.yaml", "file"),
    Spool("spool", "file → spool (group commit 10 ms) → null", "write() and fdatasync every 10 ms of the same lines", 0.7,
          "spool.yaml", "bench file"),
    RedisStreams("redis", "file → redis_streams", "hiredis, 256 in flight", 0.9, "redis_streams.yaml",
                 "file redis_streams", broker=True),
    SlackHangs("slack_hangs", "file → redis_streams, beside it a Slack that hangs", "the host without Slack", 0.95,
               "slack_hangs.yaml", "alerting file redis_streams"),
    NatsStream("nats", "file → nats, JetStream, file storage, 1024 in flight", "nats.c js_PublishAsync, the same", 0.9,
               "nats.yaml", "file nats", broker=True),
    NatsCore("nats_core", "file → nats, core", "nats.c publish and a flush", 0.7, "nats_core.yaml", "file nats",
             broker=True),
    RabbitMQ("rabbitmq", "file → rabbitmq, persistent, bulk confirms", "librabbitmq, same confirm window", 0.9,
             "rabbitmq.yaml", "file rabbitmq", broker=True),
    Kafka("kafka", "file → kafka, acks=all, lz4", "librdkafka producer, the same", 0.9, "kafka.yaml", "file kafka",
          broker=True),
    KafkaSource("kafka_source", "kafka source → null", "librdkafka consumer, batches of 256, commits", 0.85,
                "kafka_source.yaml", "bench kafka", broker=True),
    RedisSource("redis_source", "redis_streams source → null", "hiredis, XREADGROUP COUNT 256 + XACK", 0.85,
                "redis_source.yaml", "bench redis_streams", broker=True),
    TwoBackends("two", "file → redis_streams and kafka at once, by CPU", "each alone, the sum of their CPU", 0.9, "two.yaml",
                "file kafka redis_streams"),
    RedisPy("redis_py", "file → redis_streams, beside what the documents do", "redis-py, one xadd after the other", 20, "redis_streams.yaml",
            "file redis_streams"),
    Webhook("webhook", "file → webhook, one event per request, 64 connections", "libcurl multi, 64 connections", 0.9,
            "webhook.yaml", "file http", broker=True),
    Webhook("batched", "file → webhook, batched by 100", "libcurl multi, the same batches", 0.8,
            "webhook_batched.yaml", "file http", broker=True, batch=BATCH),
]
