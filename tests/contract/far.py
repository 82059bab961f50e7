"""What a class tells the suite about itself: one subclass of Far in classes/NAME.py. Everything has an answer here that
fits most; a class says only where it differs, and why a case does not apply to it (`reasons`)."""


class Far:
    """The far side of one class: its server, how to configure a node for it, and how a foreign client writes and reads."""

    roles = ("backend", "source")
    # CloudEvents modes beside structured, by role: name -> configuration that asks for it.
    modes = {"backend": {}, "source": {}}
    reasons = {}  # "backend.missing" or "missing" -> why the case does not apply
    count = 100_000  # events of the case in_order
    is_ordered = {}  # configuration with which order is kept, where the default lets it go
    port = None  # where a proxy stands in front; None: nothing to cut
    writes_live = False  # write() needs the running host: it waits for answers, and sends again what was not taken
    told = ""  # what the foreign client was told about what was not taken: for sources that answer
    turned_away = 0  # so often a caller was told to come again
    limit = 1048576  # a longer event than this is refused, and the number stands in what is said about it
    limit_config = {}  # the configuration with which the class itself refuses; empty: the host does

    def __init__(self, folder):
        self.folder = folder

    def unavailable(self):
        """Why the server cannot run on this machine; None when it can."""
        return None

    def proxy_port(self):
        """Where the proxy listens; 0: anywhere. For servers that tell their clients where to connect."""
        return 0

    def start(self):
        """Starts the server, or starts it again on its port with its data."""

    def stop(self):
        """SIGTERM."""

    def kill(self):
        """SIGKILL."""

    def make(self, place):
        """A stream, topic, queue … of that name."""

    def backend(self, place, port=None, password=None):
        """The `config:` of a backend that writes to the place; through `port`, with another password than the right one."""
        raise NotImplementedError

    def source(self, place, port=None, password=None):
        raise NotImplementedError

    def missing(self, config):
        """The configuration for a place that is not there, and is not to be made by the node."""
        return config

    def command(self, arguments, place):
        """How the program is called: a class that is a standard stream redirects it."""
        return arguments

    def write(self, place, events, mode="structured", port=None):
        """The lines (bytes) go in, as a foreign client sends them."""
        raise NotImplementedError

    def write_empty(self, place):
        """A batch of no events, or the message that is nearest to one."""
        self.write(place, [b"[]"])

    def read(self, place, mode="structured"):
        """All that arrived: bytes in structured mode, maps {attribute: value, "data": value} in others."""
        raise NotImplementedError

    def knock(self, place, password):
        """A source that is a server: what a caller with a wrong password is told, as text."""
        raise NotImplementedError

    def fill(self, place):
        """Memory or disk of the server are used up."""
        raise NotImplementedError

    def relieve(self, place):
        """There is room again."""
        raise NotImplementedError
