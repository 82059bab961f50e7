"""The consumer of event-publishing-usage.md ("Kafka Backend"), with the broker and the end of the story from outside: it
reads from the beginning, and ends after the number of events it was told."""
import json
import os

from kafka import KafkaConsumer


def process_for_embedding(document_id):
    print("embedding", document_id, flush=True)


consumer = KafkaConsumer(
    'nlp-document-events',
    bootstrap_servers=[os.environ["KAFKA"]],
    group_id='stage3-embeddings',
    auto_offset_reset='earliest',
    value_deserializer=lambda m: json.loads(m.decode('utf-8'))
)

left = int(os.environ["EVENTS"])
for message in consumer:
    event = message.value

    if event["type"] == "com.storytelling.nlp.document.processed":
        document_id = event["data"]["document_id"]
        process_for_embedding(document_id)

    left -= 1
    if left == 0:
        break
consumer.close()
