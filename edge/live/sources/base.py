"""What a source of frames is: the values that it hands over and the methods that the grabber calls."""

import os
from typing import Protocol

import cv2
import numpy as np

from edge.camera.settings import CameraRecord
from edge.errors import SourceError
from edge.messages.message import Message
from edge.types import Rgb


class GrabbedImage:
    """One picture as a source hands it over, before it becomes a numbered frame.

    Attributes:
        rgb: RGB, uint8, shape (h, w, 3).
        name: of the file or source.
        sha256: of the file, or None.
        apart: it need not touch the picture before it.
    """

    __slots__ = ("apart", "name", "rgb", "sha256")

    def __init__(self, rgb: Rgb, name: str, sha256: str | None = None, *, apart: bool = False) -> None:
        self.rgb = rgb
        self.name = name
        self.sha256 = sha256
        self.apart = apart


class Source(Protocol):
    """A camera, file, stream or folder.

    Attributes:
        name: in words, without passwords: what is shown, stored and exported.
        live: frames that nobody took in time may be dropped.
    """

    name: str
    live: bool

    @property
    def record(self) -> CameraRecord | None:
        """What a camera of this machine was told when it was last opened; None for other sources."""
        ...

    def open(self) -> None:
        """Open it, or open it again after it was lost.

        Raises:
            SourceError: it is not there; the message says what to do.
        """
        ...

    def read(self) -> GrabbedImage | None:
        """Wait for the next picture, a second or two at most.

        Returns:
            The picture, or None when there is none yet.

        Raises:
            SourceError: the source was lost; it may be opened again.
            EndOfSourceError: it has no more pictures and never will.
        """
        ...

    def close(self) -> None:
        """Let go of it; harmless when it is not open."""
        ...


class EndOfSourceError(SourceError):
    """A video file has been read to its end: the regular end of a count."""


def grab(capture: cv2.VideoCapture | None, lost: Message) -> Rgb:
    """Take the next frame of a capture.

    Args:
        capture: opened by OpenCV; None where it is not open.
        lost: what the error says where no frame comes.

    Returns:
        RGB, uint8, shape (height, width, 3).

    Raises:
        SourceError: no frame came.
    """
    if capture is None:
        raise SourceError(lost)
    arrived, bgr = capture.read()
    if not arrived or bgr is None:
        raise SourceError(lost)
    if bgr.ndim == 2:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def keep_ffmpeg_quiet() -> None:
    """Keep FFmpeg from writing to the terminal, where it may quote an address with its secrets.

    OpenCV reads this once, when it first uses FFmpeg.
    """
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET
