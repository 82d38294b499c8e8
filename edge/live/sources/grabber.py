"""A thread that grabs all the time and keeps only the newest frame, and fetches a lost source back.

V4L2 keeps about four old frames, whatever size one asks for; only a reader that never pauses shows the
present. What slow inference had no time for is dropped and counted.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from edge.errors import SourceError
from edge.live.sources.base import EndOfSourceError, GrabbedImage, Source
from edge.live.sources.frame import Frame
from edge.live.states import SourceState
from edge.messages.codes import Code
from edge.messages.message import Message

FIRST_WAIT, LONGEST_WAIT = 0.25, 2.0
"""Seconds before the first and the later attempts to open a lost source: with at most three seconds for an
attempt itself it is back within five of its return."""
STALLED_SECONDS = 2.0
"""A live source without a frame for so long has stalled, though nothing says so."""

LAST_READ_SECONDS = 12.0
"""Longer than a stream may take to open. A thread that is still reading when the process ends can abort it."""


class SourceStatus(NamedTuple):
    """How the source is doing.

    Attributes:
        state: running, stalled, lost or ended.
        message: why; None while it runs.
        received: frames that arrived.
        dropped: frames that nobody had time for.
        returns: how often it was lost and came back.
        frames_a_second: over the last seconds; 0 when there are too few to tell.
    """

    state: SourceState
    message: Message | None
    received: int
    dropped: int
    returns: int
    frames_a_second: float


class FrameGrabber:
    """Reads a source in a thread of its own.

    A source that is not live (a folder, a video taken frame by frame) loses nothing: its next picture waits
    until the last one is taken.

    Args:
        source: to read; opened by `start`, closed by `stop`.
        clock: seconds, monotonic.
    """

    def __init__(self, source: Source, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.source = source
        self._clock = clock
        self._changed = threading.Condition()
        self._stopping = threading.Event()
        self._frame: Frame | None = None
        self._state = SourceState.RUNNING
        self._message: Message | None = None
        self._received = self._dropped = self._returns = 0
        self._arrivals: deque[float] = deque(maxlen=60)
        self._last_sign = clock()
        self._defect: Exception | None = None
        self._thread = threading.Thread(target=self._run, name="newest-frame", daemon=True)

    def start(self) -> None:
        """Open the source and begin to read.

        Raises:
            SourceError: it cannot be opened even once; a source that is lost later is waited for.
        """
        self.source.open()
        self._last_sign = self._clock()
        self._thread.start()

    def take(self, timeout: float) -> Frame | None:
        """Take the newest frame that was not taken yet.

        Args:
            timeout: how long to wait for one, seconds.

        Returns:
            The frame; None when none came in time.

        Raises:
            Exception: what the source met that is no fault of a source; nothing is read any more.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._frame is not None or self._defect or self._state == SourceState.ENDED, timeout
            )
            frame, self._frame = self._frame, None
            if frame is None and self._defect is not None:
                raise self._defect
            self._changed.notify_all()
            return frame

    def status(self) -> SourceStatus:
        """How the source is doing."""
        with self._changed:
            state, message = self._state, self._message
            silent = self._clock() - self._last_sign
            if state == SourceState.RUNNING and self.source.live and silent > STALLED_SECONDS:
                state = SourceState.STALLED
                message = Message(Code.LIVE_SILENT, source=self.source.name, seconds=silent)
            return SourceStatus(
                state, message, self._received, self._dropped, self._returns, self._frames_a_second()
            )

    def stop(self) -> None:
        """Stop reading and close the source; waits for a read that is under way, at most `LAST_READ_SECONDS`."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(LAST_READ_SECONDS)
        if not self._thread.is_alive():
            self.source.close()

    def _run(self) -> None:
        try:
            self._read_all()
        except Exception as error:  # without this thread, whoever takes frames would wait for ever
            with self._changed:
                self._defect = error
                self._changed.notify_all()

    def _read_all(self) -> None:
        while not self._stopping.is_set():
            try:
                picture = self.source.read()
            except EndOfSourceError as error:
                self._tell(SourceState.ENDED, error.message)
                return
            except SourceError as error:
                self._tell(SourceState.LOST, error.message)
                if not self._fetch_back():
                    return
            else:
                self._last_sign = self._clock()
                if picture is not None:
                    self._hand_over(picture)

    def _hand_over(self, picture: GrabbedImage) -> None:
        with self._changed:
            if not self.source.live:
                self._changed.wait_for(lambda: self._frame is None or self._stopping.is_set())
                if self._stopping.is_set():
                    return
            self._received += 1
            self._dropped += self._frame is not None
            now = self._clock()
            self._arrivals.append(now)
            self._frame = Frame(picture.rgb, self._received, now, picture.name, picture.sha256, picture.apart)
            self._changed.notify_all()

    def _fetch_back(self) -> bool:
        """Open the source again and again, with growing pauses; False when told to stop."""
        wait = FIRST_WAIT
        while not self._stopping.wait(wait):
            try:
                self.source.open()
            except SourceError as error:
                self._tell(SourceState.LOST, error.message)
                wait = min(2 * wait, LONGEST_WAIT)
            else:
                with self._changed:
                    self._returns += 1
                    self._arrivals.clear()
                    self._last_sign = self._clock()
                self._tell(SourceState.RUNNING, None)
                return True
        return False

    def _tell(self, state: SourceState, message: Message | None) -> None:
        with self._changed:
            self._state, self._message = state, message
            self._changed.notify_all()

    def _frames_a_second(self) -> float:
        if len(self._arrivals) < 2 or self._clock() - self._arrivals[-1] > STALLED_SECONDS:
            return 0.0
        return (len(self._arrivals) - 1) / max(1e-6, self._arrivals[-1] - self._arrivals[0])
