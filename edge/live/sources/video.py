"""A recording, played at its own speed as if it were a camera, or frame by frame."""

import time
from pathlib import Path

import cv2

from edge.errors import SourceError
from edge.live.sources.base import EndOfSourceError, GrabbedImage, grab
from edge.messages.codes import Code
from edge.messages.message import Message


class VideoSource:
    """A video file, played at its own speed as if it were a camera, or frame by frame.

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

    def open(self) -> None:
        """Open the file at its beginning."""
        self.close()
        if not self._path.is_file():
            raise SourceError(Code.SOURCE_NO_VIDEO, path=self._path)
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            capture.release()
            raise SourceError(Code.SOURCE_NOT_A_VIDEO, path=self._path)
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._interval = 1 / rate if 0 < rate <= 1000 else 1 / 25
        self._due = time.monotonic()
        self._capture = capture

    def read(self) -> GrabbedImage:
        """Wait until the next frame is due."""
        if self.live:
            time.sleep(max(0.0, self._due - time.monotonic()))
            self._due += self._interval
        played = Message(Code.SOURCE_PLAYED, source=self.name)
        try:
            return GrabbedImage(grab(self._capture, played), self.name)
        except SourceError as error:
            raise EndOfSourceError(played) from error

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None
