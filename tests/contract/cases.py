"""The cases, each written once for every class and both roles. What a case promises is its first line; it raises when
the promise is broken. A class for which a case has no meaning says why in its `reasons`."""

import signal

import samples
from proxy import Proxy
from trial import PATIENCE_S, smaller, tail, wait_for

LOAD = 6000  # events of the cases in which something breaks
RATE = {"rate_limit": "3000/s"}
CUT_ROUNDS = 8  # of LOAD events more, until half of the faults have come
CUTS = 6
MEBIBYTE = 1 << 20
ROOM = {"event_bytes": "4MiB"}
# Nothing is taken: all of it would be 48 MiB. The bounds are numbers of events, so that no machine is too slow for the case.
SLOW_BYTES = 8 << 10
SLOW_QUEUE = {"max_events": 1000}
SLOW_CALLERS = 30  # of a source whose callers wait for their answers
PULL = 512  # a queue that had room takes what was pulled together
GROWTH_BYTES = 40 << 20  # of the host and its client library while the far side takes nothing


def byte_for_byte(trial):
    """What went in comes out, to the byte, in order, once."""
    trial.make()
    host = trial.host(trial.far.is_ordered if trial.role == "backend" else {})
    trial.put(samples.odd())
    trial.expect(host, samples.odd())
    trial.end(host)


def modes(trial):
    """Every other CloudEvents mode of the class carries the same attributes and data."""
    for mode, config in trial.far.modes[trial.role].items():
        trial.place = "%s-%s" % (trial.role, mode)
        trial.input, trial.log = trial.folder / (mode + ".in"), trial.folder / (mode + ".out")
        trial.make()
        host = trial.host((trial.far.is_ordered if trial.role == "backend" else {}) | config)
        trial.put(samples.for_modes(), mode)
        trial.expect(host, samples.for_modes(), mode)
        trial.end(host)
        (trial.folder / "checkpoint").unlink(missing_ok=True)
    trial.note(", ".join(["structured", *trial.far.modes[trial.role]]))


def empty(trial):
    """An array of no events publishes nothing and stops nothing."""
    trial.make()
    host = trial.host()
    trial.put_empty()
    trial.put(samples.lines(3))
    wait_for(lambda: len(trial.got()) >= 3, lambda: "three events behind the empty array:\n" + tail(host), PATIENCE_S)
    assert sorted(trial.got()) == sorted(samples.lines(3)), "the empty array became an event: %r" % trial.got()
    trial.end(host)


def one_mebibyte(trial):
    """An event of 1 MiB comes back byte for byte, and those around it."""
    sent = [samples.line(0), samples.of_size(1, MEBIBYTE), samples.line(2)]
    trial.make()
    host = trial.host(trial.far.is_ordered if trial.role == "backend" else {})
    trial.put(sent)
    trial.expect(host, sent)
    trial.end(host)


def too_large(trial):
    """A longer event than the limit is rejected, the limit is named, and the next one arrives."""
    by_class = trial.role == "backend" and trial.far.limit_config is not None
    limit = trial.far.limit if by_class else MEBIBYTE
    trial.make()
    host = trial.host(trial.far.limit_config if by_class else {}, limits=ROOM if by_class else None)
    trial.put([samples.line(0), samples.of_size(1, limit + 100_000)])
    trial.put([samples.line(2)])
    wait_for(lambda: {samples.identity(each) for each in trial.got()} == {"e-000000", "e-000002"},
             lambda: "the events around the large one:\n" + tail(host), PATIENCE_S)
    # A backend's refusal is in the log, with the event that it met; a source's is there or was its caller's answer.
    wait_for(lambda: host.lines('"node":"out"', '"event_id":"e-000001"', str(limit)) if by_class
             else str(limit) in host.text() + trial.far.told,
             lambda: "the limit %d to be named:\n%s" % (limit, tail(host)), PATIENCE_S)
    host.end()  # with 1 where the event is counted as failed


def unicode(trial):
    """Scripts, emoji, controls and separators come back byte for byte."""
    trial.make()
    host = trial.host(trial.far.is_ordered if trial.role == "backend" else {})
    trial.put(samples.unicode_events())
    trial.expect(host, samples.unicode_events())
    trial.end(host)


def in_order(trial):
    """Many events arrive in their order, each once."""
    sent = samples.lines(smaller(trial.far.count))
    trial.make()
    host = trial.host(trial.far.is_ordered)
    trial.put(sent)
    trial.expect(host, sent)
    trial.note("%d events" % len(sent))
    trial.end(host)


def absent_at_start(trial):
    """The host starts without its server, says so, and delivers everything when the server comes."""
    trial.make()
    sent = samples.lines(500)
    if trial.role == "source":
        trial.put(sent)
    trial.far.stop()
    host = trial.host()
    if trial.role == "backend":
        trial.put(sent)
    trial.away(host)
    trial.far.start()
    trial.expect_none_lost(host, sent)
    trial.end(host)


def restarted(trial):
    """The server is killed under load and comes back: nothing is lost."""
    trial.make()
    sent = samples.lines(LOAD)
    trial.put(sent)
    host = trial.host(delivery=RATE)
    for number in range(2):
        trial.published(host, (number + 1) * LOAD // 4)
        trial.far.kill()
        trial.away(host)
        trial.far.start()
    trial.expect_none_lost(host, sent)
    trial.end(host)


def cut(trial):
    """Connections are dropped, stalled and delayed at random bytes, inside frames too: nothing is lost."""
    trial.make()
    sent = samples.lines(LOAD)
    with Proxy(trial.far.port, trial.seed, faults=CUTS, port=trial.far.proxy_port()) as between:
        if not trial.far.writes_live:
            trial.put(sent)
        host = trial.host(port=between.port, delivery=RATE)
        if trial.far.writes_live:
            trial.put(sent, port=between.port)
        trial.expect_none_lost(host, sent)
        for _ in range(CUT_ROUNDS):  # a fault that waits for more bytes than came hides those behind it
            if len(between.said) >= CUTS // 2:
                break
            more = samples.lines(LOAD, len(sent))
            sent += more
            trial.put(more, port=between.port if trial.far.writes_live else None)
            trial.expect_none_lost(host, sent)
        assert len(between.said) >= CUTS // 2, "hardly anything was cut: %r" % between.said
        trial.note("seed %d: %s" % (trial.seed, "; ".join(between.said)))
        trial.end(host)


def wrong_password(trial):
    """A wrong password lets nothing through, is said, and is not shown."""
    trial.make()
    wrong = "not-the-right-one"
    if trial.far.writes_live and trial.role == "source":
        host = trial.host()
        said = trial.far.knock(trial.place, wrong)
    else:
        if trial.role == "source":
            trial.put(samples.lines(1))
        host = trial.host(password=wrong)
        if trial.role == "backend":
            trial.put(samples.lines(1))
        said = trial.away(host)
    assert said.strip(), "no reason is given"
    assert not trial.got(), "delivered: %r" % trial.got()
    assert wrong not in host.text() and wrong not in host.page("/health")[1], "the password is shown"
    trial.note(said[:160])
    host.process.kill()


def missing(trial):
    """A stream, topic, exchange or queue that is not there is named; once it is there, everything arrives."""
    host = trial.host(missing=True)
    if trial.role == "backend":
        trial.put(samples.lines(20))
    said = trial.named(host)
    assert not trial.got(), "delivered: %r" % trial.got()
    trial.make()
    if trial.role == "source":
        trial.put(samples.lines(20))
    trial.expect_none_lost(host, samples.lines(20))
    trial.note(said[:160])
    trial.end(host)


def full(trial):
    """The server's memory or disk is used up: the node waits, says so, loses nothing, and goes on when there is room."""
    trial.make()
    sent = samples.lines(LOAD)
    if trial.role == "source":
        trial.put(sent)
        trial.far.fill(trial.place)
        host = trial.host()
    else:
        trial.far.fill(trial.place)
        host = trial.host()
        trial.put(sent)
        trial.note(trial.away(host)[:160])
    trial.far.relieve(trial.place)
    trial.expect_none_lost(host, sent)
    trial.end(host)


def slow(trial):
    """Nothing is taken for a while: queue, flight and memory stay bounded; afterwards everything arrives."""
    trial.make()
    sent = [samples.of_size(number, SLOW_BYTES) for number in range(LOAD)]
    if trial.role == "source":
        return slow_graph(trial, sent)
    with Proxy(trial.far.port, trial.seed, port=trial.far.proxy_port()) as between:
        host = trial.host(port=between.port, delivery={"queue": SLOW_QUEUE})
        before = host.resident_bytes()
        between.hold()
        trial.put(sent)
        held_back(trial, host, before)
        between.release()
        trial.expect_none_lost(host, sent)
        trial.end(host)


def slow_graph(trial, sent):
    """The same for a source: the graph behind it takes nothing."""
    host = trial.host(sink={"class": "null", "config": {"latency": "1h", "in_flight": 256}}, delivery={"queue": SLOW_QUEUE},
                      drain_deadline="300ms")
    before, turned_away = host.resident_bytes(), trial.far.turned_away
    trial.put(sent, callers=SLOW_CALLERS)
    held_back(trial, host, before)
    if trial.far.writes_live:
        wait_for(lambda: trial.far.turned_away > turned_away, lambda: "a caller that is told to come again:\n" + tail(host), PATIENCE_S)
    host.process.send_signal(signal.SIGTERM)
    assert host.wait() == 1, tail(host)
    again = trial.host()
    trial.expect_none_lost(again, sent)
    trial.end(again)


def held_back(trial, host, before):
    """Waits until the queue is full and nothing more is taken: the same figures ten looks in a row. What is behind a full queue
    is bounded, too: the rest is still with whoever wrote it."""
    seen = []

    def same():
        stats = host.stats()
        seen.append((stats["sources"]["in"]["events_in"], stats["backends"]["out"]["queue_events"]))
        return len(seen) >= 10 and seen[-1][1] >= SLOW_QUEUE["max_events"] // 2 and len(set(seen[-10:])) == 1
    wait_for(same, lambda: "the source to be held back: %r\n%s" % (seen[-5:], tail(host)), PATIENCE_S)
    taken, out = seen[-1][0], host.stats()["backends"]["out"]
    grown = max(0, host.resident_bytes() - before)
    assert out["queue_events"] <= SLOW_QUEUE["max_events"] + PULL, out
    assert taken < LOAD // 2, "%d of %d were taken" % (taken, LOAD)
    assert grown < GROWTH_BYTES, "the host grew by %d MiB" % (grown >> 20)
    trial.note("%d of %d taken, %d in the queue, %d MiB more" % (taken, LOAD, out["queue_events"], grown >> 20))


def drain(trial):
    """Told to stop with events in flight the host ends cleanly; the next run has the rest, and nothing is lost."""
    trial.make()
    sent = samples.lines(LOAD)
    if not trial.far.writes_live:
        trial.put(sent)
    host = trial.host(delivery=RATE | {"queue": {"max_events": 1000}})
    if trial.far.writes_live:
        trial.put(sent)
    trial.published(host, 500)
    code = host.end()
    assert code == 0, "the host ended with %d:\n%s" % (code, tail(host))
    again = trial.host()
    twice = trial.expect_none_lost(again, sent)
    trial.end(again)
    # What a run tried again (an answer that did not come in time) stands in its summary: that is not the stop's fault.
    assert trial.far.writes_live or twice == 0, "%d came twice over a clean stop:\n%s\n%s" % (twice, tail(host), tail(again))


ALL = [byte_for_byte, modes, empty, one_mebibyte, too_large, unicode, in_order, absent_at_start, restarted, cut, wrong_password,
       missing, full, slow, drain]
