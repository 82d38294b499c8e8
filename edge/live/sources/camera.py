"""Cameras on this machine: USB cameras by OpenCV, CSI cameras by picamera2."""

from typing import Any

import cv2
import numpy as np

from edge.errors import SourceError
from edge.live.sources.base import GrabbedImage, grab


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

    def read(self) -> GrabbedImage:
        """Wait for the next frame."""
        return GrabbedImage(
            grab(self._capture, f"Camera {self._number} gives no more frames: unplugged?"), self.name
        )

    def close(self) -> None:
        """Release the camera."""
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

    def read(self) -> GrabbedImage:
        """Wait for the next frame."""
        try:
            rgb = np.asarray(self._camera.capture_array("main"), np.uint8)
        except (RuntimeError, OSError, AttributeError) as error:
            raise SourceError(f"The CSI camera gives no more frames: {error}.") from error
        return GrabbedImage(np.ascontiguousarray(rgb[:, :, :3]), self.name)

    def close(self) -> None:
        """Stop the stream and release the camera."""
        if self._camera is not None:
            self._camera.close()
            self._camera = None
