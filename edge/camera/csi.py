"""CSI cameras of a Raspberry Pi, by picamera2: opened with size, exposure, gain and colour gains fixed.

picamera2 comes with the system (``apt install python3-picamera2``) and is never needed by anything else.
"""

import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.camera.settings import CameraRecord, CameraSettings, near
from edge.errors import CameraError
from edge.messages.camera_codes import CameraCode

_SETTLING_FRAMES, _SETTLING_SECONDS = 45, 3.0
"""How long the automatic may settle before it is frozen."""
_DELAY_FRAMES = 20
"""Frames within which a change shows: as many as there are buffers, and three or four of the sensor."""
_LONGEST_WAIT = 3.0
"""Seconds after which a frame never comes; older picamera2 waits without end."""
_FRAME_US = 33_333
"""Duration of a frame by default: a longer exposure needs longer frames."""


class CsiCamera:
    """An open CSI camera.

    Args:
        source: "picamera", or "picamera:1" for the second one.
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
        if settings.white_balance_k is not None:
            raise CameraError(CameraCode.WANTS_GAINS, source=source)
        if settings.gain is not None and settings.gain < 1:
            raise CameraError(CameraCode.GAIN_TOO_SMALL, source=source, gain=settings.gain)
        self._source = source
        self._clock = clock
        self._camera = self._open(settings)
        try:
            self.record = self._fix(settings)
        except (RuntimeError, OSError, KeyError) as error:
            self.close()
            raise CameraError(CameraCode.CSI_SILENT, source=source, reason=_reason(error)) from error

    def read(self) -> NDArray[np.uint8]:
        """Wait for the next picture.

        Returns:
            RGB, uint8, shape (height, width, 3).

        Raises:
            CameraError: the camera gives no more pictures.
        """
        try:
            rgb = np.asarray(self._camera.capture_array("main", wait=_LONGEST_WAIT), np.uint8)
        except (RuntimeError, OSError) as error:
            raise CameraError(CameraCode.CSI_LOST, source=self._source, reason=_reason(error)) from error
        return np.ascontiguousarray(rgb[:, :, :3])

    def close(self) -> None:
        """Stop the stream and release the camera."""
        self._camera.close()

    def _open(self, settings: CameraSettings) -> Any:
        module = import_picamera2()
        if module is None:
            raise CameraError(CameraCode.NO_PICAMERA2)
        number = int(self._source.partition(":")[2] or 0)
        if number >= len(module.Picamera2.global_camera_info()):
            raise CameraError(CameraCode.NO_RIBBON, source=self._source)
        camera = None
        try:
            camera = module.Picamera2(number)
            # picamera2 names formats by the order of bytes in a word: BGR888 is RGB in memory.
            camera.configure(camera.create_video_configuration({"size": settings.size, "format": "BGR888"}))
            # What is set before the start holds from the first frame on.
            camera.set_controls(_known(camera, _given(settings)))
            camera.start()
        except (RuntimeError, IndexError, OSError) as error:
            if camera is not None:  # libcamera gives it to nobody else, later attempts of ours included
                camera.close()
            raise CameraError(
                CameraCode.CSI_NOT_OPENED, source=self._source, reason=_reason(error)
            ) from error
        return camera

    def _fix(self, settings: CameraSettings) -> CameraRecord:
        found = self._metadata()
        if None in (settings.exposure_us, settings.gain, settings.red_gain):
            end = self._clock() + _SETTLING_SECONDS
            for _ in range(_SETTLING_FRAMES):
                found = self._metadata()
                if self._clock() > end:
                    break
        wanted = {
            "ExposureTime": found.get("ExposureTime"),
            "AnalogueGain": found.get("AnalogueGain"),
            "ColourGains": found.get("ColourGains"),
            **_given(settings),
        }
        wanted = {name: value for name, value in wanted.items() if value is not None}
        self._camera.set_controls(_known(self._camera, {"AeEnable": False, "AwbEnable": False, **wanted}))
        for _ in range(_DELAY_FRAMES):
            found = self._metadata()
            if all(_taken(found, name, wanted) for name in wanted):
                break
        red, blue = found.get("ColourGains", (None, None))
        size = self._camera.camera_configuration()["main"]["size"]
        return CameraRecord(
            source=self._source,
            kind="picamera2",
            asked=settings,
            width=size[0],
            height=size[1],
            exposure_us=found.get("ExposureTime"),
            exposure_fixed=_taken(found, "ExposureTime", wanted),
            white_balance_fixed=_taken(found, "ColourGains", wanted),
            red_gain=red,
            blue_gain=blue,
            gain=found.get("AnalogueGain"),
            gain_fixed=_taken(found, "AnalogueGain", wanted),
        )

    def _metadata(self) -> Mapping[str, Any]:
        metadata: Mapping[str, Any] = self._camera.capture_metadata(wait=_LONGEST_WAIT)
        return metadata


def import_picamera2() -> Any:
    """Import picamera2; None where the system has none."""
    try:
        return import_module("picamera2")
    except ImportError:
        return None


def _given(settings: CameraSettings) -> dict[str, Any]:
    """The controls of libcamera that the settings name."""
    controls: dict[str, Any] = {}
    if settings.exposure_us is not None:
        controls["ExposureTime"] = round(settings.exposure_us)
        if settings.exposure_us > _FRAME_US:
            controls["FrameDurationLimits"] = (round(settings.exposure_us), round(settings.exposure_us))
    if settings.gain is not None:
        controls["AnalogueGain"] = settings.gain
    if settings.red_gain is not None:
        controls["ColourGains"] = (settings.red_gain, settings.blue_gain)
    return controls


def _known(camera: Any, controls: dict[str, Any]) -> dict[str, Any]:
    """Leave out controls that this camera lacks, such as colour gains where it sees no colour."""
    return {name: value for name, value in controls.items() if name in camera.camera_controls}


def _taken(found: Mapping[str, Any], name: str, wanted: Mapping[str, Any]) -> bool:
    """Whether a frame was taken with what was wanted."""
    if name == "FrameDurationLimits":  # a limit, of which no frame tells
        return True
    if name not in wanted or name not in found:
        return False
    if name == "ColourGains":
        return all(near(has, want) for has, want in zip(found[name], wanted[name], strict=True))
    return near(found[name], wanted[name])


def _reason(error: Exception) -> str:
    """Libcamera's own words; a time that ran out has none."""
    return str(error) or type(error).__name__
