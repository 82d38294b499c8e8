"""Opens a camera by the name that `list_cameras` gives it, with its settings fixed before the first picture.

Automatic exposure and white balance change the colours that the network reads from one field to the next. So
both are fixed, and what was fixed is recorded with the slide.
"""

import logging
import re
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from edge.camera.csi import CsiCamera
from edge.camera.settings import CameraRecord, CameraSettings
from edge.camera.usb import UsbCamera
from edge.camera.v4l2 import device_number
from edge.errors import CameraError
from edge.messages.camera_codes import CameraCode

_LOG = logging.getLogger("plasmolite.camera")


class OpenCamera(Protocol):
    """A camera that is open and keeps its settings.

    Attributes:
        record: what it was told and what it says that it has.
    """

    record: CameraRecord

    def read(self) -> NDArray[np.uint8]:
        """Wait for the next picture.

        Returns:
            RGB, uint8, shape (height, width, 3).

        Raises:
            CameraError: the camera gives no more pictures.
        """
        ...

    def close(self) -> None:
        """Release the camera."""
        ...


def is_camera(source: str) -> bool:
    """Tell whether a text names a camera of this machine, plugged in or not."""
    return _is_csi(source) or source.startswith("/dev/") or device_number(source) is not None


def open_camera(source: str, settings: CameraSettings | None = None) -> OpenCamera:
    """Open a camera and fix its size, exposure, white balance and gain.

    Args:
        source: "0" for /dev/video0, a path such as /dev/v4l/by-id/usb-..., "picamera", or "picamera:1".
        settings: what to fix; by default 1280x960 px and what the automatic finds.

    Raises:
        CameraError: the camera is missing, in use, or sends nothing, or the settings are out of range.
    """
    if not is_camera(source):
        raise CameraError(CameraCode.NOT_ONE, source=source)
    camera = CsiCamera if _is_csi(source) else UsbCamera
    opened = camera(source, settings or CameraSettings())
    _LOG.debug("%s: %s", source, opened.record)
    return opened


def take_test_picture(source: str, settings: CameraSettings) -> tuple[NDArray[np.uint8], CameraRecord]:
    """Take one picture.

    Args:
        source: see `open_camera`.
        settings: what to fix.

    Returns:
        RGB, uint8, shape (height, width, 3), and what was fixed.

    Raises:
        CameraError: see `open_camera`.
    """
    camera = open_camera(source, settings)
    try:
        return camera.read(), camera.record
    finally:
        camera.close()


def _is_csi(source: str) -> bool:
    return re.fullmatch(r"picamera(:\d+)?", source) is not None
