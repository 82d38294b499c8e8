"""Only the newest frame of a source is kept, and a source that was lost is fetched back."""

import threading
from pathlib import Path

import pytest

from edge.errors import SourceError
from edge.live.sources.base import EndOfSourceError, GrabbedImage
from edge.live.sources.folder import FolderSource
from edge.live.sources.grabber import FrameGrabber
from edge.messages.codes import Code
from tests.support.cameras.live_sources import picture_of, until


class Script:
    """A source that does what a list says: a shade, a pause, a failure, the end."""

    name = "script"
    record = None

    def __init__(self, steps: list[object], *, live: bool = True, fail_open: int = 0) -> None:
        self.steps = iter(steps)
        self.live = live
        self.opened = 0
        self.fail_open = fail_open

    def open(self) -> None:
        """Fail as often as told."""
        self.opened += 1
        if 1 < self.opened <= 1 + self.fail_open:
            raise SourceError(Code.SOURCE_SILENT, seconds=1)

    def read(self) -> GrabbedImage:
        """Take the next step."""
        step = next(self.steps, None)
        if step is None:
            raise EndOfSourceError(Code.SOURCE_PLAYED, source="script")
        if isinstance(step, Exception):
            raise step
        if isinstance(step, threading.Event):
            step.wait(5)
            step = 0
        return GrabbedImage(picture_of(int(str(step))), "script")

    def close(self) -> None:
        """Nothing to close."""


def test_only_the_newest_frame_is_kept_and_the_dropped_are_counted() -> None:
    newest = FrameGrabber(Script([1, 2, 3, 4, 5]))
    newest.start()
    assert until(lambda: newest.status().state == "ended")
    frame = newest.take(1)
    assert frame is not None
    assert (frame.rgb[0, 0, 0], frame.number) == (5, 5)
    assert (newest.status().received, newest.status().dropped) == (5, 4)
    assert newest.take(0.01) is None
    newest.stop()


def test_a_source_that_is_not_live_loses_nothing() -> None:
    newest = FrameGrabber(Script([1, 2, 3], live=False))
    newest.start()
    shades = []
    while (frame := newest.take(2)) is not None:
        shades.append(int(frame.rgb[0, 0, 0]))
    assert shades == [1, 2, 3]
    assert newest.status().dropped == 0
    newest.stop()


def test_a_lost_source_is_fetched_back_with_pauses() -> None:
    source = Script([1, SourceError(Code.SOURCE_SILENT, seconds=1), 2], live=False, fail_open=1)
    newest = FrameGrabber(source)
    newest.start()
    first, second = newest.take(5), newest.take(5)
    assert first is not None
    assert second is not None
    assert second.rgb[0, 0, 0] == 2
    assert newest.status().returns == 1
    assert source.opened == 3
    newest.stop()


def test_a_silent_source_is_called_stalled() -> None:
    now = [0.0]
    gate = threading.Event()
    newest = FrameGrabber(Script([gate]), clock=lambda: now[0])
    newest.start()
    now[0] = 10.0
    assert newest.status().state == "stalled"
    assert "10 seconds" in str(newest.status().message)
    gate.set()
    newest.stop()


def test_what_ends_the_reading_is_raised_behind_the_last_frame() -> None:
    newest = FrameGrabber(Script([1, OSError("a link that leads to itself")], live=False))
    newest.start()
    assert newest.take(5) is not None
    with pytest.raises(OSError, match="leads to itself"):
        newest.take(5)
    newest.stop()


def test_a_source_that_never_opened_is_an_error_at_once() -> None:
    newest = FrameGrabber(FolderSource(Path("no/such/folder")))
    with pytest.raises(SourceError, match="no folder"):
        newest.start()
