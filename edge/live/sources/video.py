"""A recording, played at its own speed as if it were a camera, or frame by frame."""

import time
from pathlib import Path

import cv2

from edge.errors import SourceError
from edge.live.sources.base import EndOfSourceError, GrabbedImage, grab, keep_ffmpeg_quiet
from edge.messages.codes import Code
from edge.messages.message import Message

_MOST_FAILURES = 300
"""Frames in a row that cannot be decoded, after which a recording is taken to have broken off."""
_COUNTED_AMISS = 0.02
"""Share of the frames by which a container's own count may be wrong where it is made from the duration."""


class VideoSource:
    """A video file, played at its own speed as if it were a camera, or frame by frame.

    Frames that cannot be decoded are left out: the source is lost, as a camera would be, and goes on behind them.

    Args:
        path: the file.
        every_frame: take every frame, however long each takes.
    """

    record = None

    def __init__(self, path: Path, *, every_frame: bool = False) -> None:
        self.name = path.name
        self.live = not every_frame
        self._path = path
        self._capture: cv2.VideoCapture | None = None
        self._due = 0.0
        self._interval = 0.0
        self._stated = self._played = self._damaged = 0
        self._ahead: GrabbedImage | None = None

    def open(self) -> None:
        """Open the file at its beginning; behind a damaged part, go on from there."""
        if self._ahead is not None:
            self._due = time.monotonic()
            return
        self.close()
        if not self._path.is_file():
            raise SourceError(Code.SOURCE_NO_VIDEO, path=self._path)
        keep_ffmpeg_quiet()
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            capture.release()
            code = Code.SOURCE_NOT_FINISHED if _lacks_its_index(self._path) else Code.SOURCE_NOT_A_VIDEO
            raise SourceError(code, path=self._path)
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._interval = 1 / rate if 0 < rate <= 1000 else 1 / 25
        self._stated = max(0, round(capture.get(cv2.CAP_PROP_FRAME_COUNT)))
        self._played = self._damaged = 0
        self._due = time.monotonic()
        self._capture = capture

    def read(self) -> GrabbedImage:
        """Wait until the next frame is due."""
        if self.live:
            time.sleep(max(0.0, self._due - time.monotonic()))
            self._due += self._interval
        image, self._ahead = self._ahead or self._next(), None
        if image is not None:
            return image
        failures = 1
        while failures <= min(_MOST_FAILURES, self._stated - self._played - self._damaged):
            self._ahead = self._next()
            if self._ahead is not None:
                first = self._played + self._damaged  # the frame ahead is counted, and frames count from 1
                self._damaged += failures
                raise SourceError(
                    Code.SOURCE_DAMAGED, source=self.name, first=first, frames=failures, stated=self._stated
                )
            failures += 1
        raise EndOfSourceError(self._end())

    def close(self) -> None:
        """Close the file."""
        self._ahead = None
        if self._capture is not None:
            self._capture.release()
            self._capture = None

    def _next(self) -> GrabbedImage | None:
        """Decode a frame; None where that fails, which is so at the end and in a damaged part."""
        try:
            rgb = grab(self._capture, Message(Code.SOURCE_PLAYED, source=self.name))
        except SourceError:
            return None
        self._played += 1
        return GrabbedImage(rgb, self.name)

    def _end(self) -> Message:
        reached = self._played + self._damaged
        if self._stated - reached > max(1.0, _COUNTED_AMISS * self._stated):
            return Message(Code.SOURCE_BROKE_OFF, source=self.name, reached=reached, stated=self._stated)
        if self._damaged:
            return Message(
                Code.SOURCE_PLAYED_IN_PART, source=self.name, damaged=self._damaged, stated=self._stated
            )
        return Message(Code.SOURCE_PLAYED, source=self.name)


def _lacks_its_index(path: Path) -> bool:
    """Whether a file is an MP4 (ISO/IEC 14496-12) without its box ``moov``, which is written when it ends."""
    with path.open("rb") as file:
        length, at = path.stat().st_size, 0
        kinds: set[bytes] = set()
        while at + 8 <= length and len(kinds) < 64:
            file.seek(at)
            head = file.read(16)
            kinds.add(head[4:8])
            size = int.from_bytes(head[:4], "big")
            if size == 1:
                size = int.from_bytes(head[8:16], "big")
            if size < 8:
                break
            at += size
    return b"ftyp" in kinds and b"moov" not in kinds
