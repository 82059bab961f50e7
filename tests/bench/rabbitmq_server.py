"""The tests' RabbitMQ for a benchmark, with one durable queue, `ev`."""
import os
import time

from servers import rabbitmq
from support import wait_for

REST_S = 0.2            # it has nothing left to do when in this time
REST_CPU_SHARE = 0.05   # it takes less of one core than this


class RabbitMQ(rabbitmq.Server):
    def __init__(self, folder):
        super().__init__(folder)
        self.start()
        self.take_queue()

    def take_queue(self):
        """(messages, the first one's body): makes the queue anew, so that no side inherits files from the one before. A
        connection of its own, for between two looks nobody keeps its heartbeat."""
        connection = self.connection()
        channel = connection.channel()
        messages = channel.queue_declare("ev", durable=True).method.message_count
        first = channel.basic_get("ev", auto_ack=True)[2]
        channel.queue_delete("ev")
        channel.queue_declare("ev", durable=True)
        connection.close()
        return messages, (first or b"").decode()

    def cpu_seconds(self):
        with open("/proc/%d/stat" % self.process.process.pid, encoding="ascii") as stat:
            user, system = stat.read().rpartition(") ")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def rest(self):
        """Waits until the server has finished what the run before left it."""
        def rests():
            before = self.cpu_seconds()
            time.sleep(REST_S)
            return self.cpu_seconds() - before <= REST_CPU_SHARE * REST_S
        wait_for(rests, "the server to have nothing left to do")
