"""The tests' RabbitMQ for a benchmark, with one durable queue, `ev`."""
from servers import rabbitmq


class RabbitMQ(rabbitmq.Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.start()
        self.take_queue()

    def take_queue(self):
        """(messages, the first one's body): empties the queue. A connection of its own, for between two looks nobody keeps its
        heartbeat."""
        connection = self.connection()
        channel = connection.channel()
        messages = channel.queue_declare("ev", durable=True).method.message_count
        first = channel.basic_get("ev", auto_ack=True)[2]
        channel.queue_purge("ev")
        connection.close()
        return messages, (first or b"").decode()
