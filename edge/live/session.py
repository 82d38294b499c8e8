"""The live loop: newest frame in, result out, and a state that anyone may read at any time.

The session belongs to no terminal and no web page: both read `LiveSession.snapshot` and
`LiveSession.latest_frame` from threads of their own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable

import cv2

from edge.drawing.field_overlay import DrawnCell, draw_field
from edge.errors import PlasmoliteError, StoreDamagedError, StoreError, StoreFullError
from edge.images.encode import encode_jpeg, shrink
from edge.live.snapshot import STALE_SECONDS, Snapshot
from edge.live.sources.base import Source
from edge.live.sources.frame import Frame
from edge.live.sources.grabber import FrameGrabber
from edge.live.states import LiveState, Mode, SourceState
from edge.live.tasks import Task, TaskResult
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.types import Rgb

_RATE_SECONDS = 10.0
_TRY_AGAIN_SECONDS = 2.0
"""Pause before a field that the store could not take is offered again."""
_TROUBLE = {SourceState.LOST: LiveState.SOURCE_LOST, SourceState.STALLED: LiveState.STALLED}
"""States of the source that are shown in place of the session's own."""
_SHOWN_QUALITY = 80
_SHOWN_WIDTH = 1280
"""Widest picture that `latest_frame` gives, pixels: a stream of larger ones would fill a slow network."""


class LiveSession:
    """One live count.

    Args:
        source: where frames come from.
        task: what is done with them.
        clock: seconds, monotonic.
        stop_when_reached: end by itself when the task's facts say "reached".
    """

    def __init__(
        self,
        source: Source,
        task: Task,
        *,
        clock: Callable[[], float] = time.monotonic,
        stop_when_reached: bool = False,
    ) -> None:
        self._newest = FrameGrabber(source, clock=clock)
        self._task = task
        self._clock = clock
        self._stop_when_reached = stop_when_reached
        self._stopping = threading.Event()
        self._changed = threading.Condition()
        self._number = 0
        self._state = LiveState.STARTING
        self._message: Message | None = None
        self._facts = task.facts()
        self._considered = 0
        self._result_of: float | None = None
        self._recent: deque[tuple[float, int]] = deque()
        self._shown: tuple[Rgb, tuple[DrawnCell, ...], Mode] | None = None
        self._drawn: tuple[int, bytes] | None = None
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="live-session", daemon=True)

    def start(self) -> None:
        """Open the source and begin.

        Raises:
            SourceError: the source cannot be opened even once.
            StoreError: what its camera has could not be stored with the slide.
        """
        self._newest.start()
        self._task.source_opened(self._newest.source.record)
        self._thread.start()

    def stop(self) -> None:
        """End the session; waits for the frame at hand. Harmless when it has ended."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(30.0)
        self._newest.stop()
        if not self._state.over:
            self._tell(LiveState.STOPPED, None)

    def failure(self) -> BaseException | None:
        """What ended the session against its will; None where nothing did."""
        return self._failure

    def snapshot(self) -> Snapshot:
        """The state at this moment; safe from any thread."""
        source = self._newest.status()
        now = self._clock()
        with self._changed:
            state, message = self._state, self._message
            age = None if self._result_of is None else now - self._result_of
            recent = [entry for entry in self._recent if now - entry[0] <= _RATE_SECONDS]
            number, considered, facts = self._number, self._considered, self._facts
        trouble = _TROUBLE.get(source.state)
        if trouble is not None and state != LiveState.DISK_FULL and not state.over:
            state, message = trouble, source.message
        span = min(_RATE_SECONDS, max(1.0, now - recent[0][0])) if recent else _RATE_SECONDS
        quiet = state in {LiveState.STILL, LiveState.NOTHING_NEW}
        warnings = [] if message is None or quiet else [message]
        if age is not None and age > STALE_SECONDS and state not in {LiveState.ENDED, LiveState.STOPPED}:
            warnings.append(Message(Code.LIVE_STALE, seconds=age))
        # What a count that goes on is told is nothing to one that has ended.
        warnings += [
            note for note in self._task.notes() if not (state.over and note.code is Code.LIVE_REACHED_GOES_ON)
        ]
        return Snapshot(
            mode=self._task.mode,
            number=number,
            state=state,
            message=message,
            source=source,
            considered=considered,
            considered_a_second=len(recent) / span,
            cells_a_second=sum(cells for _, cells in recent) / span,
            result_age=age,
            warnings=tuple(warnings),
            facts=facts,
        )

    def wait(self, after: int, timeout: float) -> Snapshot:
        """Wait until something changed since snapshot number ``after``, or for ``timeout`` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after, timeout)
        return self.snapshot()

    def latest_frame(self) -> bytes | None:
        """The last frame that was looked at, as JPEG with its cells outlined; None before the first.

        Drawn when somebody asks, once a frame, at most 1280 pixels wide.
        """
        with self._changed:
            number, shown, drawn = self._number, self._shown, self._drawn
        if shown is None:
            return None
        if drawn is not None and drawn[0] == number:
            return drawn[1]
        data = encode_jpeg(_draw(*shown), _SHOWN_QUALITY)
        with self._changed:
            self._drawn = (number, data)
        return data

    def _run(self) -> None:
        try:
            self._loop()
        except BaseException as error:
            self._failure = error
            defect = Message(Code.LIVE_DEFECT, defect=repr(error))
            self._tell(LiveState.FAILED, error.message if isinstance(error, PlasmoliteError) else defect)

    def _loop(self) -> None:
        returns = 0
        waiting: Frame | None = None
        while not self._stopping.is_set():
            frame = waiting or self._newest.take(0.2)
            waiting = None
            source = self._newest.status()
            if source.returns != returns:
                returns = source.returns
                self._task.source_returned()
                self._task.source_opened(self._newest.source.record)
            if frame is None:
                if source.state == SourceState.ENDED:
                    self._tell(LiveState.ENDED, source.message)
                    return
                continue
            try:
                result = self._task.consider(frame)
            except StoreDamagedError:
                raise
            except StoreError as error:
                full = isinstance(error, StoreFullError)
                self._tell(LiveState.DISK_FULL if full else LiveState.STORE, error.message)
                # A camera shows the field again; a file of a folder comes only once and is kept at hand.
                waiting = None if self._newest.source.live else frame
                self._stopping.wait(_TRY_AGAIN_SECONDS)
                continue
            except PlasmoliteError as error:
                result = TaskResult(LiveState.REFUSED, error.message)
            self._take_in(frame, result)
            if self._stop_when_reached and self._facts.get("reached"):
                self._tell(LiveState.ENDED, Message(Code.LIVE_REACHED))
                return

    def _take_in(self, frame: Frame, result: TaskResult) -> None:
        facts = self._task.facts()
        with self._changed:
            self._number += 1
            self._considered += 1
            self._state, self._message = result.state, result.message
            self._facts = facts
            self._result_of = frame.taken_at
            now = self._clock()
            self._recent.append((now, result.judged))
            while self._recent and now - self._recent[0][0] > _RATE_SECONDS:
                self._recent.popleft()
            # While the field stands still, the outlines drawn on it before still hold.
            if result.state != LiveState.STILL or self._shown is None:
                self._shown = (frame.rgb, result.outlines, self._task.mode)
            self._changed.notify_all()

    def _tell(self, state: LiveState, message: Message | None) -> None:
        with self._changed:
            self._number += 1
            self._state, self._message = state, message
            self._changed.notify_all()


def _draw(rgb: Rgb, outlines: tuple[DrawnCell, ...], mode: Mode) -> Rgb:
    """Outline the cells, draw the cross-hair in cell mode, and shrink to what a page shows."""
    drawn = draw_field(rgb, outlines)
    if mode == Mode.CELL:
        height, width = rgb.shape[:2]
        reach = max(8, width // 40)
        for start, end in (
            ((width // 2 - reach, height // 2), (width // 2 + reach, height // 2)),
            ((width // 2, height // 2 - reach), (width // 2, height // 2 + reach)),
        ):
            cv2.line(drawn, start, end, (0, 0, 0), 3)
            cv2.line(drawn, start, end, (255, 255, 255), 1)
    return shrink(drawn, _SHOWN_WIDTH / drawn.shape[1])
