"""A TCP proxy that does to a connection what networks do: it carries N random bytes in one direction, cuts inside whatever
frame that is, and then drops the connection (with a reset, as a lost peer would), stalls it or delays it.

    with Proxy(port, seed, faults=6) as proxy:    # after so many faults everything passes
        proxy.port                                # what the client is told
        proxy.said                                # a line for each fault: direction, bytes, what was done

What is done follows from the seed alone; when it happens depends on what the client sends. hold() lets nothing through
until release(): a far side that is slow, with the kernel's buffers in between full."""

import asyncio
import random
import socket
import struct
import threading

FAULTS = ("drop", "stall", "delay")
CHUNK = 65536
STALL_S = 4.0  # longer than the time-outs that the classes are given here
DELAY_S = 0.3
BYTES = (1, 60_000)  # at which byte of a connection: log-uniform, so that greetings and logins are cut, too


class Proxy:
    def __init__(self, target, seed, faults=0, port=0):
        self.target, self.random, self.faults = target, random.Random(seed), faults
        self.said = []
        self.flows = threading.Event()
        self.flows.set()
        self.listener = socket.create_server(("127.0.0.1", port))
        self.port = self.listener.getsockname()[1]
        self.loop = asyncio.new_event_loop()
        self.tasks = set()
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.flows.set()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(timeout=10)
        self.listener.close()

    def hold(self):
        self.flows.clear()

    def release(self):
        self.flows.set()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self.accepted, sock=self.listener))
        self.loop.run_forever()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.sleep(0))

    def draw(self):
        """A connection's next fault as (direction, byte, what); None once there were enough."""
        if len(self.said) >= self.faults:
            return None
        low, high = BYTES
        return (self.random.choice(("up", "down")), int(low * (high / low) ** self.random.random()),
                self.random.choice(FAULTS))

    async def accepted(self, reader, writer):
        fault = self.draw()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            reset(writer)
            return
        ways = {"up": (reader, far_writer), "down": (far_reader, writer)}
        tasks = [asyncio.ensure_future(self.carry(way, *ways[way], fault if fault and fault[0] == way else None))
                 for way in ways]
        # Either end, or the fault, ends both ways.
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        reset(writer)
        reset(far_writer)

    async def carry(self, way, reader, writer, fault):
        carried = 0
        try:
            while True:
                while not self.flows.is_set():
                    await asyncio.sleep(0.05)
                data = await reader.read(CHUNK)
                if not data:
                    await writer.drain()
                    return
                if fault and carried + len(data) >= fault[1]:
                    whole = fault[1] - carried
                    writer.write(data[:whole])
                    await writer.drain()
                    self.said.append("%s after %d bytes %s" % (fault[2], fault[1], way))
                    if fault[2] == "drop":
                        return
                    await asyncio.sleep(STALL_S if fault[2] == "stall" else DELAY_S)
                    if fault[2] == "stall":
                        return
                    data, carried, fault = data[whole:], 0, self.draw()
                    fault = fault and (way, *fault[1:])  # the way it came is the way that is looked at
                writer.write(data)
                carried += len(data)
                await writer.drain()
        except (ConnectionError, OSError):
            return


def reset(writer):
    """Closed with RST: the other side hears at once, and what was on the way is lost."""
    try:
        peer = writer.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    writer.transport.abort()
