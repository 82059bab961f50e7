"""redis_py.py FILE PORT: one xadd per line, each waited for, as the documents publish; tells events, seconds and CPU."""
import sys
import time

import redis

path, port = sys.argv[1], int(sys.argv[2])
client = redis.Redis(port=port)
client.ping()
events, began, cpu = 0, time.monotonic(), time.process_time()
with open(path, "rb") as lines:
    for line in lines:
        client.xadd("ev", {"event": line.rstrip(b"\n")}, maxlen=10000, approximate=True)
        events += 1
print(f"RESULT events={events} seconds={time.monotonic() - began:.6f} cpu={time.process_time() - cpu:.6f}")
