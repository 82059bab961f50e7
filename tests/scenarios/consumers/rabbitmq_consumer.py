"""The event consumer that services of the RabbitMQ guide have, by aio-pika: EventConsumer with register_handler(). Prints what its
handler gets, one line per event, and ends after COUNT of them.

    rabbitmq_consumer.py URL QUEUE COUNT EVENT_TYPE…"""

import asyncio
import json
import sys

import aio_pika


class EventConsumer:
    def __init__(self, rabbitmq_url, queue_name, prefetch_count=10):
        self.url, self.queue_name, self.prefetch_count = rabbitmq_url, queue_name, prefetch_count
        self.handlers = {}

    async def connect(self):
        self.connection = await aio_pika.connect_robust(self.url)
        channel = await self.connection.channel()
        await channel.set_qos(prefetch_count=self.prefetch_count)
        self.queue = await channel.get_queue(self.queue_name)

    def register_handler(self, event_type, handler):
        self.handlers[event_type] = handler

    async def start(self, count):
        async with self.queue.iterator() as messages:
            async for message in messages:
                async with message.process(requeue=True):
                    event_data = json.loads(message.body)
                    await self.handlers[event_data["event_type"]](event_data, message)
                count -= 1
                if count == 0:
                    return

    async def disconnect(self):
        await self.connection.close()


async def handle(event_data, message):
    print(json.dumps({"event": event_data, "correlation_id": message.correlation_id, "message_id": message.message_id,
                      "type": message.type, "content_type": message.content_type, "routing_key": message.routing_key}), flush=True)


async def main(url, queue, count, *types):
    consumer = EventConsumer(rabbitmq_url=url, queue_name=queue, prefetch_count=10)
    await consumer.connect()
    for event_type in types:
        consumer.register_handler(event_type, handle)
    await consumer.start(int(count))
    await consumer.disconnect()


asyncio.run(main(*sys.argv[1:]))
