"""Sessions that were ended: a copy of their cookie opens nothing any more, after a restart neither."""

import json
import logging
import threading
import time
from pathlib import Path

from edge.atomic_file import write_atomically

_LOG = logging.getLogger("plasmolite.server")


class EndedSessions:
    """The ids of ended sessions, each kept until its cookie would have run out by itself.

    Args:
        path: where they are kept; None keeps them in memory alone.
        lasting: seconds that a session lasts.
    """

    def __init__(self, path: Path | None = None, lasting: float = 12 * 3600.0) -> None:
        self._path = path
        self._lasting = lasting
        self._lock = threading.Lock()
        self._until: dict[str, float] = {}
        if path is not None and path.exists():
            try:
                kept = json.loads(path.read_text(encoding="utf-8"))
                self._until = {str(session): float(until) for session, until in kept.items()}
            except (OSError, ValueError, AttributeError, TypeError) as error:
                _LOG.warning("ended sessions could not be read", extra={"reason": str(error)})

    def __contains__(self, session: object) -> bool:
        """Whether a session was ended."""
        return session in self._until

    def add(self, session: str) -> None:
        """End a session."""
        now = time.time()
        with self._lock:
            going = {one: until for one, until in self._until.items() if until > now}
            self._until = going | {session: now + self._lasting}
            if self._path is not None:
                try:
                    write_atomically(self._path, json.dumps(self._until).encode())
                except OSError as error:
                    # The session is ended all the same, as long as this process lives.
                    _LOG.warning("an ended session could not be kept", extra={"reason": str(error)})
