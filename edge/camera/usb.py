"""USB cameras, by OpenCV's V4L2: opened with size, exposure, white balance and gain fixed.

What OpenCV answers (its ``cap_v4l.cpp``): ``set`` is true also where the driver clamped the value, and ``get``
is -1 where the camera lacks the control. So everything that was set is read back.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.settings import CameraRecord, CameraSettings, near
from edge.camera.v4l2 import device_number
from edge.errors import CameraError
from edge.messages.camera_codes import CameraCode

_MANUAL, _AUTOMATIC = 1, 3  # V4L2_EXPOSURE_MANUAL, V4L2_EXPOSURE_APERTURE_PRIORITY
_NO_CONTROL = -1
_EXPOSURE_UNIT_US = 100.0  # of V4L2_CID_EXPOSURE_ABSOLUTE
_SETTLING_FRAMES, _SETTLING_SECONDS = 30, 3.0
"""How long the automatic may settle before it is frozen. It works only while frames are taken."""
_QUEUED_FRAMES = 4
"""Frames that the driver's queue still holds from before a change (OpenCV asks for so many buffers)."""
_MJPG = float(cv2.VideoWriter.fourcc(*"MJPG"))


class UsbCamera:
    """An open USB camera.

    Args:
        source: "0" for /dev/video0, or a path such as /dev/v4l/by-id/....
        settings: what to fix.
        clock: seconds, monotonic.

    Attributes:
        record: what it was told and what it says that it has.

    Raises:
        CameraError: it is missing, in use, or sends nothing, or the settings are out of range.
    """

    def __init__(
        self, source: str, settings: CameraSettings, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        settings.check()
        if settings.red_gain is not None:
            raise CameraError(CameraCode.WANTS_KELVIN, source=source)
        self._source = source
        self._clock = clock
        self._capture = self._open()
        try:
            self.record = self._fix(settings)
        except BaseException:
            self.close()
            raise

    def read(self) -> NDArray[np.uint8]:
        """Wait for the next picture.

        Returns:
            RGB, uint8, shape (height, width, 3).

        Raises:
            CameraError: the camera gives no more pictures.
        """
        arrived, bgr = self._capture.read()
        if not arrived or bgr is None:
            raise CameraError(CameraCode.LOST, source=self._source)
        code = cv2.COLOR_GRAY2RGB if bgr.ndim == 2 else cv2.COLOR_BGR2RGB
        return np.asarray(cv2.cvtColor(bgr, code), np.uint8)

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        number = device_number(self._source)
        if number is None:
            raise CameraError(CameraCode.NOT_PLUGGED_IN, source=self._source)
        # A frame that does not come within two seconds never comes; OpenCV would wait for ten.
        os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "2")
        # OpenCV tries every backend in turn and complains about each; V4L2 is the one that cameras have on Linux.
        backend = cv2.CAP_V4L2 if sys.platform == "linux" else cv2.CAP_ANY
        with _without_warnings():
            capture = cv2.VideoCapture(number, backend)
        if not capture.isOpened():
            capture.release()
            raise CameraError(CameraCode.NOT_OPENED, source=self._source)
        return capture

    def _fix(self, settings: CameraSettings) -> CameraRecord:
        capture = self._capture
        self._set_size(settings)
        # Some cameras take manual exposure only when it follows automatic exposure (opencv/opencv#9738).
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTOMATIC)
        before = None
        if settings.exposure_us is None or settings.white_balance_k is None:
            capture.set(cv2.CAP_PROP_AUTO_WB, 1)
            before = self._settle()
        exposure_us, exposure_fixed = self._fix_exposure(settings.exposure_us)
        white_balance_k, white_balance_fixed = self._fix_white_balance(settings.white_balance_k)
        gain, gain_fixed = self._fix_gain(settings.gain)
        for _ in range(_QUEUED_FRAMES):
            self._grab()
        change = None
        if before is not None and settings.exposure_us is None:
            change = round(max(1.0, float(self.read().mean())) / max(1.0, before), 3)
        return CameraRecord(
            source=self._source,
            kind="V4L2",
            asked=settings,
            width=round(capture.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=round(capture.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            pixel_format=_letters(capture.get(cv2.CAP_PROP_FOURCC)),
            exposure_us=exposure_us,
            exposure_fixed=exposure_fixed,
            white_balance_k=white_balance_k,
            white_balance_fixed=white_balance_fixed,
            gain=gain,
            gain_fixed=gain_fixed,
            brightness_change=change,
        )

    def _set_size(self, settings: CameraSettings) -> None:
        """Ask for the size; where plain frames do not have it, for JPEG frames, as USB 2.0 often allows no more."""
        wanted = settings.size
        for pixel_format in (None, _MJPG):
            if pixel_format is not None:
                self._capture.set(cv2.CAP_PROP_FOURCC, pixel_format)
            self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, wanted[0])
            self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, wanted[1])
            size = (
                self._capture.get(cv2.CAP_PROP_FRAME_WIDTH),
                self._capture.get(cv2.CAP_PROP_FRAME_HEIGHT),
            )
            if size == wanted:
                return

    def _settle(self) -> float:
        """Take frames until the automatic has settled; return the mean brightness of the last one, 0 to 255."""
        end = self._clock() + _SETTLING_SECONDS
        for _ in range(_SETTLING_FRAMES):
            self._grab()
            if self._clock() > end:
                break
        return float(self.read().mean())

    def _grab(self) -> None:
        if not self._capture.grab():
            raise CameraError(CameraCode.SILENT, source=self._source)

    def _fix_exposure(self, wanted_us: float | None) -> tuple[float | None, bool]:
        """Switch the automatic off; return the exposure in µs and whether the camera obeyed."""
        capture = self._capture
        units = capture.get(cv2.CAP_PROP_EXPOSURE) if wanted_us is None else wanted_us / _EXPOSURE_UNIT_US
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL)
        taken = capture.set(cv2.CAP_PROP_EXPOSURE, units)
        has = capture.get(cv2.CAP_PROP_EXPOSURE)
        manual = capture.get(cv2.CAP_PROP_AUTO_EXPOSURE) in (_MANUAL, _NO_CONTROL)
        exposure_us = None if has == _NO_CONTROL else has * _EXPOSURE_UNIT_US
        return exposure_us, bool(taken and manual and near(has, units))

    def _fix_white_balance(self, wanted_k: float | None) -> tuple[float | None, bool]:
        """Switch the automatic off; return the colour temperature in K and whether the camera obeyed."""
        capture = self._capture
        kelvin = capture.get(cv2.CAP_PROP_WB_TEMPERATURE) if wanted_k is None else wanted_k
        switched = capture.set(cv2.CAP_PROP_AUTO_WB, 0)
        taken = capture.set(cv2.CAP_PROP_WB_TEMPERATURE, kelvin)
        has = capture.get(cv2.CAP_PROP_WB_TEMPERATURE)
        manual = capture.get(cv2.CAP_PROP_AUTO_WB) in (0, _NO_CONTROL)
        if has == _NO_CONTROL:
            # A camera whose automatic can be switched off keeps what it had, without saying what that is.
            return None, bool(switched and manual and wanted_k is None)
        return has, bool(taken and manual and near(has, kelvin))

    def _fix_gain(self, wanted: float | None) -> tuple[float | None, bool]:
        capture = self._capture
        gain = capture.get(cv2.CAP_PROP_GAIN) if wanted is None else wanted
        taken = capture.set(cv2.CAP_PROP_GAIN, gain)
        has = capture.get(cv2.CAP_PROP_GAIN)
        return (None, False) if has == _NO_CONTROL else (has, bool(taken and near(has, gain)))


def _letters(code: float) -> str:
    """A pixel format's four letters, out of OpenCV's number."""
    return int(code).to_bytes(4, "little").decode("ascii", "replace").strip("\0 ") if code > 0 else ""


@contextmanager
def _without_warnings() -> Iterator[None]:
    """Keep OpenCV from writing on the terminal what the error then says in a sentence."""
    before = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(before)
