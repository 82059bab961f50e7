#!/usr/bin/python3
"""with_kafka.py COMMAND …: runs a command beside a Kafka of its own and ends with the command's exit code. Kafka starts
slowly, so the tests of one binary share it, each with a topic of its own.

The command finds it by the environment: SLUICE_KAFKA (the plain door), SLUICE_KAFKA_SASL_SSL, _SASL_PLAINTEXT, _SSL,
_WRONG_NAME, _EXPIRED, _UNKNOWN (doors), _CA (what to trust), _USER, _PASSWORD. Without the jars (tests/kafka/install) it
runs with none of them, and says so: such tests use librdkafka's mock cluster where that can do, and skip the rest."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
sys.path.remove(str(pathlib.Path(__file__).resolve().parent))  # where "kafka" would be ours
from servers import kafka  # noqa: E402


def main(command):
    if not kafka.available():
        print("Kafka: the real broker is skipped, tests/kafka/install did not get it", flush=True)
        return subprocess.run(command).returncode
    folder = tempfile.mkdtemp(prefix="sluice-kafka-")
    server = kafka.Server(folder, tls=True, auth=True)
    try:
        server.start()
        doors = {"SLUICE_KAFKA_" + name.upper(): url for name, url in server.urls.items()}
        more = {"SLUICE_KAFKA": server.url, "SLUICE_KAFKA_CA": str(server.certificates.authority),
                "SLUICE_KAFKA_USER": server.user, "SLUICE_KAFKA_PASSWORD": server.password}
        return subprocess.run(command, env=os.environ | doors | more).returncode
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
