"""with_rabbitmq.py COMMAND …: runs the command beside a RabbitMQ server of its own, for tests that are no Python. An Erlang
node needs many seconds to start, so one serves them all.

The command finds it in RABBITMQ_TEST_URL and RABBITMQ_TEST_TLS_URL, with the authority's certificate in RABBITMQ_TEST_CA. Its
exit code is ours. Over a socket (RABBITMQ_TEST_CONTROL) it takes one line per wish and answers "done": kill, start, restart, sync,
freeze, thaw, present PAIR (a certificate of tls.py), or the words of a rabbitmqctl command."""

import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from servers.rabbitmq import Server  # noqa: E402


SIGNALS = {"freeze": signal.SIGSTOP, "thaw": signal.SIGCONT}


def serve(control, server):
    """One wish after the other, until the socket is closed."""
    while True:
        try:
            peer, _ = control.accept()
        except OSError:
            return
        with peer, peer.makefile("rw") as lines:
            for line in lines:
                words = line.split()
                try:
                    if words[0] in SIGNALS:
                        os.kill(server.pid, SIGNALS[words[0]])
                    elif words[0] == "present":
                        server.present(getattr(server.certificates, words[1]))
                    elif words[0] in ("kill", "start", "restart", "sync"):
                        getattr(server, words[0])()
                    else:
                        server.ctl(*words)
                    lines.write("done\n")
                except (AssertionError, OSError, subprocess.SubprocessError) as why:
                    lines.write("failed: %s\n" % str(why).replace("\n", " "))
                lines.flush()


def main(command):
    with tempfile.TemporaryDirectory(prefix="sluice-rabbitmq-", ignore_cleanup_errors=True) as folder:
        server = Server(folder, tls=True).start()
        path = os.path.join(folder, "control")
        with socket.socket(socket.AF_UNIX) as control:
            try:
                control.bind(path)
                control.listen()
                threading.Thread(target=serve, args=(control, server), daemon=True).start()
                more = {"RABBITMQ_TEST_URL": server.url, "RABBITMQ_TEST_CONTROL": path,
                        "RABBITMQ_TEST_TLS_URL": server.tls_url, "RABBITMQ_TEST_CA": str(server.certificates.authority)}
                return subprocess.run(command, env=os.environ | more).returncode
            finally:
                server.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
