"""Signing a phone in without typing the token: a code that lives for minutes, works once, and is in a QR code.

The code, not the token, is what a picture of the screen shows. It stands behind the ``#`` of the address, so that it
reaches no log and no proxy.
"""

import contextlib
import hashlib
import secrets
import socket
import threading
import time
from collections.abc import Callable

import segno

CODE_SECONDS = 600.0
_MOST = 16
"""Codes that are open at a time: the oldest gives way."""


class PairingCodes:
    """Codes that were given out and not used yet.

    Args:
        now: seconds of a clock that only goes on.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}

    def draw(self) -> str:
        """Give out a code: 128 bits, good once and for :data:`CODE_SECONDS`."""
        code = secrets.token_urlsafe(16)
        with self._lock:
            self._drop_old()
            while len(self._until) >= _MOST:
                del self._until[next(iter(self._until))]
            self._until[_hash(code)] = self._now() + CODE_SECONDS
        return code

    def use(self, code: str) -> bool:
        """Whether a code is good; from then on it is not."""
        with self._lock:
            self._drop_old()
            return self._until.pop(_hash(code), None) is not None

    def _drop_old(self) -> None:
        now = self._now()
        self._until = {code: until for code, until in self._until.items() if until > now}


def _hash(code: str) -> str:
    # Looked up by their hashes: the time of a look-up tells nothing of a code.
    return hashlib.sha256(code.encode()).hexdigest()


def addresses_of(host: str, port: int) -> list[str]:
    """The addresses at which a browser can open the server, the likeliest first.

    Args:
        host: that it listens on; a wildcard stands for every interface.
        port: that it listens on.
    """
    hosts = _own_hosts() if host in {"0.0.0.0", "::"} else [host]  # noqa: S104 - compared, not bound
    return [f"http://{f'[{one}]' if ':' in one else one}:{port}/" for one in hosts]


def _own_hosts() -> list[str]:
    """This computer's addresses on its networks; loopback alone where it has none."""
    found: list[str] = []
    # Nothing is sent: connecting a datagram socket only asks the system which interface it would take.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            found.append(probe.getsockname()[0])
        except OSError:
            pass
    with contextlib.suppress(OSError):
        found += [
            str(entry[4][0]) for entry in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        ]
    outside = [one for one in dict.fromkeys(found) if not one.startswith("127.")]
    return outside or ["127.0.0.1"]


def pairing_address(address: str, code: str) -> str:
    """The address that signs a phone in once."""
    return f"{address}sign-in#pair={code}"


def qr_in_terminal(text: str) -> str:
    """A QR code of half blocks, dark on light, for a terminal."""
    matrix = [list(row) for row in segno.make(text, error="l").matrix_iter(border=2)]
    if len(matrix) % 2:
        matrix.append([0] * len(matrix[0]))
    # Printed light for dark modules left out: most terminals are dark, and readers take either.
    blocks = {(0, 0): "█", (0, 1): "▀", (1, 0): "▄", (1, 1): " "}
    return "\n".join(
        "".join(blocks[bool(above), bool(below)] for above, below in zip(upper, lower, strict=True))
        for upper, lower in zip(matrix[::2], matrix[1::2], strict=True)
    )


def qr_picture(text: str) -> str:
    """A QR code as a data address for an ``<img>``."""
    return str(segno.make(text, error="m").svg_data_uri(scale=6, border=3))
