"""Cameras without a device, as OpenCV's V4L2 and picamera2 behave towards their callers.

`V4l2Capture` follows OpenCV's ``cap_v4l.cpp``: `get` is -1 for a control that the camera lacks, `set` is true
also where the driver clamps, frames flow from the first `grab` on, and the size changes with the second of width
and height. `Picamera2` follows picamera2's manual: what was set before the start holds from the first frame, later
changes take some frames.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, ClassVar

import cv2
import numpy as np
import pytest

MJPG, YUYV = cv2.VideoWriter.fourcc(*"MJPG"), cv2.VideoWriter.fourcc(*"YUYV")
SIZES = {YUYV: [(640, 480), (1280, 960)], MJPG: [(640, 480), (1280, 960), (1600, 1200)]}
SET_BEFORE_A_PICTURE = {
    cv2.CAP_PROP_FRAME_WIDTH,
    cv2.CAP_PROP_FRAME_HEIGHT,
    cv2.CAP_PROP_AUTO_EXPOSURE,
    cv2.CAP_PROP_EXPOSURE,
    cv2.CAP_PROP_AUTO_WB,
    cv2.CAP_PROP_WB_TEMPERATURE,
    cv2.CAP_PROP_GAIN,
}


class V4l2Camera:
    """One plugged-in camera: what it has and what it keeps while nobody has it open.

    Args:
        controls: its controls; the values of a common UVC camera by default.
        sizes: by pixel format.
        automatic: what the automatic finds: exposure in 100 µs, colour temperature in K, as frames flow.
        tells_exposure: whether it says what its automatic exposure has found.
        exposure_step: of its exposure, in 100 µs.
        frames: how many it gives before it is unplugged; None for as many as are asked.
    """

    def __init__(
        self,
        *,
        controls: dict[int, float] | None = None,
        sizes: dict[int, list[tuple[int, int]]] | None = None,
        automatic: tuple[float, float] = (156, 4600),
        tells_exposure: bool = True,
        exposure_step: int = 1,
        frames: int | None = None,
        picture: np.ndarray | None = None,
    ) -> None:
        self.controls: dict[int, float] = {
            cv2.CAP_PROP_AUTO_EXPOSURE: 3,
            cv2.CAP_PROP_EXPOSURE: 50,
            cv2.CAP_PROP_AUTO_WB: 1,
            cv2.CAP_PROP_WB_TEMPERATURE: 6500,
            cv2.CAP_PROP_GAIN: 16,
            **(controls or {}),
        }
        self.controls = {name: value for name, value in self.controls.items() if value != -1}
        self.sizes = sizes or SIZES
        self.automatic = automatic
        self.tells_exposure = tells_exposure
        self.exposure_step = exposure_step
        self.frames = frames
        self.picture = picture
        self.sets: list[list[tuple[int, float]]] = []
        """What was set, by opening."""


class V4l2Capture:
    """What `cv2.VideoCapture` is for a V4L2 camera; `cameras` are those that are plugged in, by number."""

    cameras: ClassVar[dict[int, V4l2Camera]] = {}
    held: ClassVar[set[int]] = set()

    def __init__(self, number: int, backend: int) -> None:
        assert backend == cv2.CAP_V4L2
        camera = self.cameras.get(number)
        self._number = number
        self._camera = camera if camera is not None and number not in self.held else None
        if self._camera is None:
            return
        self.held.add(number)
        self._camera.sets.append([])
        self._format = YUYV
        self._size = self._nearest(YUYV, (640, 480))
        self._width_set: int | None = None
        self._height_set: int | None = None

    def isOpened(self) -> bool:  # noqa: N802 - OpenCV's name
        """Whether the camera was there and free."""
        return self._camera is not None

    def set(self, name: int, value: float) -> bool:
        """Set a property as cap_v4l.cpp does; false where the driver refuses."""
        assert self._camera is not None
        camera, controls = self._camera, self._camera.controls
        camera.sets[-1].append((name, value))
        if name == cv2.CAP_PROP_FOURCC:
            if int(value) in camera.sizes:
                self._format = int(value)
            return True
        if name in {cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT}:
            if name == cv2.CAP_PROP_FRAME_WIDTH:
                self._width_set = round(value)
            else:
                self._height_set = round(value)
            if self._width_set and self._height_set:
                self._size = self._nearest(self._format, (self._width_set, self._height_set))
                self._width_set = self._height_set = None
            return True
        if name not in controls:
            return False
        if name == cv2.CAP_PROP_EXPOSURE:
            if controls.get(cv2.CAP_PROP_AUTO_EXPOSURE, 1) != 1:
                return False
            value = max(1, value // camera.exposure_step * camera.exposure_step)
        if name == cv2.CAP_PROP_WB_TEMPERATURE and controls.get(cv2.CAP_PROP_AUTO_WB, 0):
            return False
        controls[name] = round(value)
        return True

    def get(self, name: int) -> float:
        """A property's value; -1 where the camera lacks it."""
        assert self._camera is not None
        if name in {cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT}:
            return float(self._size[name == cv2.CAP_PROP_FRAME_HEIGHT])
        if name == cv2.CAP_PROP_FOURCC:
            return float(self._format)
        return self._camera.controls.get(name, -1.0)

    def grab(self) -> bool:
        """Take a frame: the automatic works meanwhile."""
        camera = self._camera
        assert camera is not None
        if camera.frames is not None:
            if camera.frames <= 0:
                return False
            camera.frames -= 1
        controls = camera.controls
        automatic = controls.get(cv2.CAP_PROP_AUTO_EXPOSURE) == 3
        if automatic and camera.tells_exposure and cv2.CAP_PROP_EXPOSURE in controls:
            controls[cv2.CAP_PROP_EXPOSURE] = camera.automatic[0]
        if controls.get(cv2.CAP_PROP_AUTO_WB) and cv2.CAP_PROP_WB_TEMPERATURE in controls:
            controls[cv2.CAP_PROP_WB_TEMPERATURE] = camera.automatic[1]
        return True

    def read(self) -> tuple[bool, np.ndarray | None]:
        """Take a frame, as bright as it was exposed."""
        if not self.grab():
            return False, None
        assert self._camera is not None
        if self._camera.picture is not None:
            return True, self._camera.picture[:, :, ::-1]
        automatic = self._camera.controls.get(cv2.CAP_PROP_AUTO_EXPOSURE) == 3
        exposure = self._camera.automatic[0] if automatic else self.get(cv2.CAP_PROP_EXPOSURE)
        shade = min(255, max(0, exposure))
        bgr = np.full((self._size[1], self._size[0], 3), shade, np.uint8)
        bgr[:, :, 2] //= 2
        return True, bgr

    def release(self) -> None:
        """Let go of the camera."""
        if self._camera is not None:
            self.held.discard(self._number)

    def _nearest(self, pixel_format: int, size: tuple[int, int]) -> tuple[int, int]:
        assert self._camera is not None
        sizes = self._camera.sizes[pixel_format]
        return size if size in sizes else max(sizes)


@contextmanager
def plugged_in(monkeypatch: pytest.MonkeyPatch, **cameras: V4l2Camera) -> Iterator[None]:
    """Plug cameras in: ``video0=...`` and so on."""
    with monkeypatch.context() as patch:
        patch.setattr(V4l2Capture, "cameras", {int(name[5:]): one for name, one in cameras.items()})
        patch.setattr(V4l2Capture, "held", set())
        patch.setattr(cv2, "VideoCapture", V4l2Capture)
        yield
        assert not V4l2Capture.held, "a camera was not released"


class Picamera2:
    """What Plasmolite uses of picamera2; its class attributes are the camera that is plugged in."""

    info: ClassVar[list[dict[str, Any]]] = [
        {"Model": "imx477", "Num": 0, "Id": "/base/soc/i2c0mux/i2c@1/imx477@1a"}
    ]
    fault: ClassVar[Exception | None] = None
    obeys: ClassVar[bool] = True
    open_cameras: ClassVar[int] = 0
    sets: ClassVar[list[list[tuple[bool, dict[str, Any]]]]] = []
    """What was set, by opening, each with whether the camera was running then."""

    def __init__(self, number: int = 0) -> None:
        if self.fault is not None:
            raise self.fault
        self.number = number
        type(self).open_cameras += 1
        type(self).sets.append([])
        names = (
            "AeEnable",
            "AwbEnable",
            "ExposureTime",
            "AnalogueGain",
            "ColourGains",
            "FrameDurationLimits",
        )
        self.camera_controls = dict.fromkeys(names, (0, 0, 0))
        self._state: dict[str, Any] = {
            "ExposureTime": 9000,
            "AnalogueGain": 1.5,
            "ColourGains": (2.0, 1.6),
            "FrameDurationLimits": (33333, 33333),
        }
        self._coming: list[tuple[int, dict[str, Any]]] = []
        self._running = False
        self._frame = 0

    @classmethod
    def global_camera_info(cls) -> list[dict[str, Any]]:
        """All cameras that libcamera sees."""
        return cls.info

    def create_video_configuration(self, main: dict[str, Any]) -> dict[str, Any]:
        """A configuration is a dictionary of streams."""
        return {"main": main}

    def configure(self, configuration: dict[str, Any]) -> None:
        """Libcamera's BGR888 has red first in memory."""
        assert configuration["main"]["format"] == "BGR888"
        self._configuration = configuration

    def camera_configuration(self) -> dict[str, Any]:
        """The configuration in use."""
        return self._configuration

    def set_controls(self, controls: dict[str, Any]) -> None:
        """Take controls: before the start at once, later after some frames."""
        assert set(controls) <= set(self.camera_controls)
        self.sets[-1].append((self._running, controls))
        if self.obeys:
            self._coming.append((self._frame + 8 if self._running else 0, controls))

    def start(self) -> None:
        """Frames flow from here on."""
        self._running = True

    def capture_metadata(self, wait: float | None = None) -> dict[str, Any]:
        """What the next frame was taken with."""
        self._next(wait)
        return {name: value for name, value in self._state.items() if name != "FrameDurationLimits"}

    def capture_array(self, name: str, wait: float | None = None) -> np.ndarray:
        """A red frame, whose rows libcamera may have padded to four channels."""
        assert name == "main"
        self._next(wait)
        width, height = self._configuration["main"]["size"]
        return np.broadcast_to(np.array([200, 10, 20, 0], np.uint8), (height, width, 4))

    def close(self) -> None:
        """Let go of the camera."""
        type(self).open_cameras -= 1

    def _next(self, wait: float | None) -> None:
        assert self._running
        assert wait is not None, "a camera that hangs would hang the caller"
        if self.fault is not None:
            raise self.fault
        self._frame += 1
        for due, controls in self._coming:
            if due <= self._frame:
                self._state.update({name: value for name, value in controls.items() if name in self._state})
        self._coming = [entry for entry in self._coming if entry[0] > self._frame]
        # No exposure is longer than its frame.
        longest = self._state["FrameDurationLimits"][1]
        self._state["ExposureTime"] = min(self._state["ExposureTime"], longest)


def picamera2(monkeypatch: pytest.MonkeyPatch, **camera: Any) -> type[Picamera2]:
    """Install a fake picamera2 whose class attributes are those given; return its class."""
    kind = type("Picamera2", (Picamera2,), {"sets": [], "open_cameras": 0, **camera})
    monkeypatch.setitem(sys.modules, "picamera2", SimpleNamespace(Picamera2=kind))
    return kind
