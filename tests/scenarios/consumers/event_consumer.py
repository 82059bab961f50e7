import os
import redis
import json
import time

# Connect to Redis
r = redis.Redis(host='localhost', port=int(os.environ.get("REDIS_PORT", 6379)), db=1, decode_responses=True)

# Create consumer group (run once, may fail if already exists)
try:
    r.xgroup_create("nlp-events", "test-consumers", id="0", mkstream=True)
    print("Created consumer group: test-consumers")
except redis.exceptions.ResponseError as e:
    print(f"Consumer group might already exist: {e}")

print("\nListening for events...")
print("=" * 60)

# Read events
while True:
    events = r.xreadgroup(
        "test-consumers",
        "consumer-1",
        {"nlp-events": ">"},
        count=10,
        block=5000  # 5 second timeout
    )

    for stream_name, messages in events:
        for message_id, data in messages:
            # Parse event
            event = json.loads(data["event"])

            print(f"\n📨 New Event Received:")
            print(f"  Type: {event['type']}")
            print(f"  ID: {event['id']}")
            print(f"  Time: {event['time']}")

            if event['type'] == 'com.storytelling.nlp.document.processed':
                doc_data = event['data']
                print(f"  Document: {doc_data['document_id']}")
                print(f"  Events: {doc_data['metrics']['event_count']}")
                print(f"  Entities: {doc_data['metrics']['entity_count']}")

            # Acknowledge message
            r.xack("nlp-events", "test-consumers", message_id)
            print(f"  ✅ Acknowledged: {message_id}")

    time.sleep(1)
