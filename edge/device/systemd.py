"""Tells systemd that the service is ready and alive, and only while it really is.

systemd restarts a service whose keep-alive stops (``WatchdogSec=`` in the unit). A thread that pings
whatever happens would keep a hung pipeline alive for ever, so each ping asks the pipeline first. The protocol
is one datagram (sd_notify(3)); on a machine without systemd nothing is sent.
"""

import os
import socket
import threading
from collections.abc import Callable, Mapping

Health = Callable[[], str | None]
"""Returns ``None`` while all is well, else what is wrong as a sentence. Must return within seconds."""


def notify(message: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Send one message to systemd.

    Args:
        message: such as ``READY=1``, ``WATCHDOG=1`` or ``STATUS=…``, several parted by line feeds.
        environ: where ``NOTIFY_SOCKET`` stands.

    Returns:
        True where a service manager took it, False where there is none.
    """
    address = environ.get("NOTIFY_SOCKET", "")
    if not address:
        return False
    if address.startswith("@"):
        address = "\0" + address[1:]  # the abstract name space of Linux sockets
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        try:
            sender.connect(address)
            sender.sendall(message.encode())
        except OSError:
            return False  # the manager went away; there is nobody to tell
    return True


def watchdog_seconds(environ: Mapping[str, str] = os.environ) -> float | None:
    """Seconds of silence after which systemd restarts this process; ``None`` where it does not watch."""
    microseconds = environ.get("WATCHDOG_USEC", "")
    watched = environ.get("WATCHDOG_PID", "") in {"", str(os.getpid())}
    if not watched or not microseconds.isdigit() or int(microseconds) == 0:
        return None
    return int(microseconds) / 1e6


class Watchdog:
    """Pings systemd from a thread of its own while the pipeline is healthy.

    Use as a context manager round the service's main loop::

        with Watchdog(pipeline.health):
            server.run()
    """

    def __init__(self, health: Health, environ: Mapping[str, str] = os.environ) -> None:
        """Hold what to ask; nothing is sent yet.

        Args:
            health: asked before each ping; while it names a fault no ping is sent.
            environ: systemd's variables.
        """
        self._health = health
        self._environ = environ
        limit = watchdog_seconds(environ)
        self._watched = limit is not None
        # systemd's manual asks for pings at half the limit; a third leaves room for a slow health check.
        self._interval = 10.0 if limit is None else limit / 3
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep_alive, name="watchdog", daemon=True)
        self._told: str | None = ""  # neither well nor a fault: nothing was told yet

    def __enter__(self) -> "Watchdog":
        """Say that the service is ready and, where somebody watches, begin to ping."""
        notify("READY=1", self._environ)
        if self._watched:
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Say that the service is stopping and end the thread."""
        notify("STOPPING=1", self._environ)
        self._stopped.set()
        if self._watched:
            # A check that hangs, in a pipeline that hangs, must not keep the process from ending.
            self._thread.join(timeout=2)

    def check(self) -> str | None:
        """Ask the pipeline once and tell systemd; return what is wrong, if anything."""
        try:
            wrong = self._health()
        except Exception as error:  # whatever the check raises is itself the fault to report
            wrong = f"The health check failed: {error}."
        if wrong is None:
            notify("WATCHDOG=1", self._environ)
        if wrong != self._told:
            # Once a change: the journal is on an SD card.
            notify(f"STATUS={wrong or 'Healthy.'}", self._environ)
            self._told = wrong
        return wrong

    def _keep_alive(self) -> None:
        self.check()
        while not self._stopped.wait(self._interval):
            self.check()
