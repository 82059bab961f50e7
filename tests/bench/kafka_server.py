"""The Kafka broker of a benchmark: one topic for what is written, made anew for each run, and one that is read."""
import subprocess

from servers import kafka
from support import wait_for


class Kafka(kafka.Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.start()
        self.create_topic("ev")
        self.filled = set()

    def length(self, topic):
        """Messages in the topic's one partition."""
        from kafka import TopicPartition
        consumer = self.consumer()
        try:
            return consumer.end_offsets([TopicPartition(topic, 0)])[TopicPartition(topic, 0)]
        finally:
            consumer.close()

    def committed(self, topic, group):
        from kafka import TopicPartition
        consumer = self.consumer(group_id=group)
        try:
            return consumer.committed(TopicPartition(topic, 0))
        finally:
            consumer.close()

    def forget(self, topic):
        admin = self.admin()
        admin.delete_topics([topic])
        admin.close()
        wait_for(lambda: topic not in self.topics(), "the topic to be gone")
        self.create_topic(topic)

    def fill(self, topic, client, lines):
        """By the bare client, once."""
        if topic not in self.filled:
            self.create_topic(topic)
            subprocess.run([client, lines, self.url, topic], check=True, stdout=subprocess.DEVNULL)
            self.filled.add(topic)
