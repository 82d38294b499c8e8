"""Network streams that OpenCV's FFmpeg plays: RTSP, HLS, HTTP video."""

import os
import time

import cv2

from edge.camera.address import shown_address
from edge.errors import SourceError
from edge.live.sources.base import GrabbedImage, grab, keep_ffmpeg_quiet
from edge.messages.codes import Code
from edge.messages.message import Message

FIRST_OPEN_MS, OPEN_AGAIN_MS, READ_TIMEOUT_MS = 10_000, 3000, 2000
"""How long OpenCV waits for a stream. At first long, for a camera may send a key frame only every few seconds;
after that a stream that was lost must be back within five seconds, unless it has shown that it takes longer."""


class StreamSource:
    """A network stream that OpenCV's FFmpeg plays: RTSP, HLS, HTTP video.

    Args:
        url: its address; it is never shown.
    """

    live = True
    record = None

    def __init__(self, url: str) -> None:
        self.name = shown_address(url)
        self._url = url
        self._capture: cv2.VideoCapture | None = None
        self._patience_ms = FIRST_OPEN_MS

    def open(self) -> None:
        """Connect."""
        self.close()
        # RTSP over TCP: UDP loses packets, and a torn frame looks like a cell cut in two.
        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
        keep_ffmpeg_quiet()
        settings = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            self._patience_ms,
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            READ_TIMEOUT_MS,
        ]
        began = time.monotonic()
        capture = cv2.VideoCapture(self._url, cv2.CAP_FFMPEG, settings)
        if not capture.isOpened():
            capture.release()
            raise SourceError(Code.SOURCE_STREAM_NOT_PLAYABLE, source=self.name)
        self._patience_ms = max(OPEN_AGAIN_MS, round(2000 * (time.monotonic() - began)))
        self._capture = capture

    def read(self) -> GrabbedImage:
        """Wait for the next frame."""
        stopped = Message(Code.SOURCE_STREAM_STOPPED, source=self.name)
        return GrabbedImage(grab(self._capture, stopped), self.name)

    def close(self) -> None:
        """Disconnect."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None
