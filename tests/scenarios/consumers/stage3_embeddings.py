import os
import redis
import json

r = redis.Redis.from_url(os.environ.get("REDIS_EVENTS_URL", "redis://redis:6379/1"))

def process_document_for_embedding(document_id, output_location):  # the document leaves this to the reader
    print(f"Embedding {document_id} from {output_location}")

# Create consumer group (run once)
r.xgroup_create("nlp-events", "stage3-embeddings", id="0", mkstream=True)

# Read events
while True:
    events = r.xreadgroup(
        "stage3-embeddings",
        "consumer-1",
        {"nlp-events": ">"},
        count=10,
        block=5000  # 5 second timeout
    )

    for stream_name, messages in events:
        for message_id, data in messages:
            event = json.loads(data[b"event"])

            if event["type"] == "com.storytelling.nlp.document.processed":
                document_id = event["data"]["document_id"]
                output_location = event["data"]["output_location"]["jsonl"]

                # Process document from Stage 2
                process_document_for_embedding(document_id, output_location)

                # Acknowledge message
                r.xack("nlp-events", "stage3-embeddings", message_id)
