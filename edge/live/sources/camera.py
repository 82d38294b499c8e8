"""Where frames come from: cameras, video files, streams, and what a source has to do to be one."""

import os
import time
from pathlib import Path
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.errors import SourceError

Rgb = NDArray[np.uint8]

FIRST_OPEN_MS, OPEN_AGAIN_MS, READ_TIMEOUT_MS = 10_000, 3000, 2000
"""How long OpenCV waits for a stream. At first long, for a camera may send a key frame only every few seconds;
after that a stream that was lost must be back within five seconds, unless it has shown that it takes longer."""


class Picture:
    """A picture as a source hands it over, before it becomes a numbered frame.

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
        name: in words, without passwords.
        live: frames that nobody took in time may be dropped.
    """

    name: str
    live: bool

    def open(self) -> None:
        """Open it, or open it again after it was lost.

        Raises:
            SourceError: it is not there; the message says what to do.
        """
        ...

    def read(self) -> Picture | None:
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


class CameraSource:
    """A USB or built-in camera, by the number that the system gives it.

    Args:
        number: 0 for the first.
    """

    live = True

    def __init__(self, number: int) -> None:
        self.name = f"camera {number}"
        self._number = number
        self._capture: cv2.VideoCapture | None = None

    def open(self) -> None:
        """Open the camera."""
        self.close()
        capture = cv2.VideoCapture(self._number)
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"Camera {self._number} cannot be opened: none of that number, or another program has it. "
                "`plasmolite cameras` lists what there is; a CSI camera is `--source picamera`."
            )
        self._capture = capture

    def read(self) -> Picture:
        """Wait for the next frame."""
        return Picture(
            _grab(self._capture, f"Camera {self._number} gives no more frames: unplugged?"), self.name
        )

    def close(self) -> None:
        """Release the camera."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class VideoSource:
    """A video file, played at its own speed as if it were a camera, or frame by frame.

    Args:
        path: the file.
        every_frame: take every frame, however long each takes.
    """

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
            raise SourceError(f"There is no video file {self._path}.")
        capture = cv2.VideoCapture(str(self._path))
        if not capture.isOpened():
            capture.release()
            raise SourceError(
                f"{self._path} is no video that OpenCV can read. Convert it to MP4 (H.264) or AVI."
            )
        rate = capture.get(cv2.CAP_PROP_FPS)
        self._interval = 1 / rate if 0 < rate <= 1000 else 1 / 25
        self._due = time.monotonic()
        self._capture = capture

    def read(self) -> Picture:
        """Wait until the next frame is due."""
        if self.live:
            time.sleep(max(0.0, self._due - time.monotonic()))
            self._due += self._interval
        try:
            return Picture(_grab(self._capture, "end"), self.name)
        except SourceError as error:
            raise EndOfSourceError(f"{self.name} has been played to its end.") from error

    def close(self) -> None:
        """Close the file."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class StreamSource:
    """A network stream that OpenCV's FFmpeg plays: RTSP, HLS, HTTP video.

    Args:
        url: its address.
        name: the address without its password.
    """

    live = True

    def __init__(self, url: str, name: str) -> None:
        self.name = name
        self._url = url
        self._capture: cv2.VideoCapture | None = None
        self._patience_ms = FIRST_OPEN_MS

    def open(self) -> None:
        """Connect."""
        self.close()
        # RTSP over TCP: UDP loses packets, and a torn frame looks like a cell cut in two.
        os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
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
            raise SourceError(
                f"The stream {self.name} cannot be opened: no answer, or nothing that FFmpeg can play. Check "
                "the address in a player such as VLC."
            )
        self._patience_ms = max(OPEN_AGAIN_MS, round(2000 * (time.monotonic() - began)))
        self._capture = capture

    def read(self) -> Picture:
        """Wait for the next frame."""
        return Picture(_grab(self._capture, f"The stream {self.name} stalled or ended."), self.name)

    def close(self) -> None:
        """Disconnect."""
        if self._capture is not None:
            self._capture.release()
            self._capture = None


class PicameraSource:
    """A CSI camera of a Raspberry Pi, by picamera2: OpenCV does not see those.

    Args:
        size: width and height asked for, pixels.
    """

    name = "picamera"
    live = True

    def __init__(self, size: tuple[int, int] = (1640, 1232)) -> None:
        self._size = size
        self._camera: Any = None

    def open(self) -> None:
        """Open the camera and start its stream."""
        self.close()
        try:
            from picamera2 import Picamera2  # noqa: PLC0415 - exists on Raspberry Pi OS only
        except ImportError as error:
            raise SourceError(
                "picamera2 is not installed. On Raspberry Pi OS: `sudo apt install python3-picamera2`, and "
                "make the virtual environment with --system-site-packages. A USB camera is `--source 0`."
            ) from error
        try:
            camera = Picamera2()
            # picamera2 names formats by libcamera's order of bytes: its BGR888 is RGB in memory.
            camera.configure(camera.create_video_configuration({"size": self._size, "format": "BGR888"}))
            camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            raise SourceError(
                f"The CSI camera cannot be opened: {error}. Check its cable, and that no other program "
                "has it."
            ) from error
        self._camera = camera

    def read(self) -> Picture:
        """Wait for the next frame."""
        try:
            rgb = np.asarray(self._camera.capture_array("main"), np.uint8)
        except (RuntimeError, OSError, AttributeError) as error:
            raise SourceError(f"The CSI camera gives no more frames: {error}.") from error
        return Picture(np.ascontiguousarray(rgb[:, :, :3]), self.name)

    def close(self) -> None:
        """Stop the stream and release the camera."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None


def _grab(capture: cv2.VideoCapture | None, lost: str) -> Rgb:
    """Take one frame as RGB."""
    if capture is None:
        raise SourceError(lost)
    arrived, bgr = capture.read()
    if not arrived or bgr is None:
        raise SourceError(lost)
    if bgr.ndim == 2:
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_GRAY2RGB), np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)
