"""Which cameras there are, and how one is made to keep its exposure and its white balance.

USB cameras are listed through the kernel (V4L2), CSI cameras through picamera2, which comes from the
system's packages and is never needed by anything else. Automatic exposure and white balance change the
colours that the network reads from one field to the next, so both are fixed, and what was set is recorded
with the slide.
"""

import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.camera.v4l2 import PixelFormat, open_query, read_formats, read_name
from edge.errors import CameraError

_SETTLING_SECONDS = 2.0
"""How long automatic exposure gets to settle before it is frozen; a slow USB camera takes 30 frames."""
_MANUAL_EXPOSURE, _AUTOMATIC_EXPOSURE = 1.0, 3.0  # V4L2_EXPOSURE_MANUAL, V4L2_EXPOSURE_APERTURE_PRIORITY


class Camera(NamedTuple):
    """One camera that can be opened.

    Attributes:
        source: what ``--source`` takes: "0" for /dev/video0, "picamera" or "picamera:1".
        kind: "V4L2" or "picamera2".
        name: as the camera calls itself.
        formats: what it delivers.
        problem: why it cannot be used, as a sentence; None where it can.
    """

    source: str
    kind: str
    name: str
    formats: tuple[PixelFormat, ...]
    problem: str | None = None


class FixedSettings(NamedTuple):
    """What stays as it is while a slide is counted. None: take what the automatic found, then freeze it.

    Attributes:
        width, height: of the picture in px.
        exposure_us: exposure time in microseconds, 20 to 1,000,000.
        white_balance_k: colour temperature in kelvin, 2,000 to 10,000 (USB cameras).
        red_gain, blue_gain: colour gains, 0.1 to 32 (CSI cameras).
        gain: analogue gain, 1 to 64 (CSI cameras).
    """

    width: int = 1280
    height: int = 960
    exposure_us: int | None = None
    white_balance_k: int | None = None
    red_gain: float | None = None
    blue_gain: float | None = None
    gain: float | None = None

    def faults(self) -> list[str]:
        """Name everything that is wrong with these settings; empty where nothing is."""
        found = []
        for name, low, high in _RANGES:
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                found.append(f"{name} is {value}; it lies between {low:g} and {high:g}.")
        if (self.red_gain is None) != (self.blue_gain is None):
            found.append("red_gain and blue_gain belong together: give both or neither.")
        return found


_RANGES = (
    ("width", 160, 8192),
    ("height", 120, 8192),
    ("exposure_us", 20, 1_000_000),
    ("white_balance_k", 2_000, 10_000),
    ("red_gain", 0.1, 32),
    ("blue_gain", 0.1, 32),
    ("gain", 1, 64),
)


def list_cameras(root: Path = Path("/")) -> list[Camera]:
    """List all cameras of this machine, USB first.

    Args:
        root: where ``dev`` and ``sys`` are.
    """
    return [*_v4l2_cameras(root), *_csi_cameras()]


def fix_usb_camera(
    capture: cv2.VideoCapture, settings: FixedSettings, wait: Callable[[float], None] = time.sleep
) -> dict[str, float | bool]:
    """Fix size, exposure and white balance of an opened V4L2 camera.

    Args:
        capture: opened by OpenCV.
        settings: what to fix, and what to freeze as the automatic found it.
        wait: lets the automatic settle.

    Returns:
        What the camera says that it now has, for the slide's record. ``exposure_fixed`` and
        ``white_balance_fixed`` tell whether it obeyed: many cheap cameras do not.

    Raises:
        CameraError: the settings are out of range.
    """
    _refuse_faults(settings)
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height)
    if settings.exposure_us is None or settings.white_balance_k is None:
        capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _AUTOMATIC_EXPOSURE)
        capture.set(cv2.CAP_PROP_AUTO_WB, 1)
        wait(_SETTLING_SECONDS)
        for _ in range(8):  # the driver's queue still holds frames from before
            capture.grab()
    # V4L2 counts exposure in units of 100 µs.
    exposure = (
        capture.get(cv2.CAP_PROP_EXPOSURE) if settings.exposure_us is None else settings.exposure_us / 100
    )
    kelvin = (
        capture.get(cv2.CAP_PROP_WB_TEMPERATURE)
        if settings.white_balance_k is None
        else settings.white_balance_k
    )
    manual = capture.set(cv2.CAP_PROP_AUTO_EXPOSURE, _MANUAL_EXPOSURE)
    exposed = manual and capture.set(cv2.CAP_PROP_EXPOSURE, exposure)
    fixed_white = capture.set(cv2.CAP_PROP_AUTO_WB, 0)
    balanced = fixed_white and capture.set(cv2.CAP_PROP_WB_TEMPERATURE, kelvin)
    return {
        "width": capture.get(cv2.CAP_PROP_FRAME_WIDTH),
        "height": capture.get(cv2.CAP_PROP_FRAME_HEIGHT),
        "exposure_us": capture.get(cv2.CAP_PROP_EXPOSURE) * 100,
        "exposure_fixed": bool(exposed),
        "white_balance_k": capture.get(cv2.CAP_PROP_WB_TEMPERATURE),
        "white_balance_fixed": bool(balanced),
    }


def fix_csi_camera(
    camera: Any, settings: FixedSettings, wait: Callable[[float], None] = time.sleep
) -> dict[str, float | bool]:
    """Fix exposure, gain and colour gains of a started picamera2 camera; see :func:`fix_usb_camera`.

    Raises:
        CameraError: the settings are out of range.
    """
    _refuse_faults(settings)
    wait(_SETTLING_SECONDS)
    found = camera.capture_metadata()
    red, blue = found["ColourGains"]
    controls: dict[str, Any] = {
        "AeEnable": False,
        "ExposureTime": found["ExposureTime"] if settings.exposure_us is None else settings.exposure_us,
        "AnalogueGain": found["AnalogueGain"] if settings.gain is None else settings.gain,
        "AwbEnable": False,
        "ColourGains": (
            red if settings.red_gain is None else settings.red_gain,
            blue if settings.blue_gain is None else settings.blue_gain,
        ),
    }
    camera.set_controls(controls)
    return {
        "width": settings.width,
        "height": settings.height,
        "exposure_us": float(controls["ExposureTime"]),
        "exposure_fixed": True,
        "gain": float(controls["AnalogueGain"]),
        "red_gain": float(controls["ColourGains"][0]),
        "blue_gain": float(controls["ColourGains"][1]),
        "white_balance_fixed": True,
    }


def take_test_picture(
    source: str, settings: FixedSettings
) -> tuple[NDArray[np.uint8], dict[str, float | bool]]:
    """Take one picture with fixed settings.

    Args:
        source: see :class:`Camera`.
        settings: what to fix.

    Returns:
        RGB, uint8, shape (height, width, 3), and what was set.

    Raises:
        CameraError: the camera is missing, in use, or sends nothing.
    """
    if source.partition(":")[0] == "picamera":
        return _csi_picture(source, settings)
    if not source.isdigit():
        raise CameraError(f"{source} is no camera: give a number such as 0, or picamera.")
    # OpenCV tries every backend in turn and complains about each; V4L2 is the one that cameras have here.
    capture = cv2.VideoCapture(int(source), cv2.CAP_V4L2)
    try:
        if not capture.isOpened():
            raise CameraError(
                f"The camera {source} cannot be opened: it is missing, or another program holds it. "
                "See what there is with: plasmolite cameras"
            )
        record = fix_usb_camera(capture, settings)
        done, frame = capture.read()
        if not done or frame is None:
            raise CameraError(
                f"The camera {source} was opened but sends no picture: try another cable or port."
            )
        return np.asarray(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), np.uint8), record
    finally:
        capture.release()


def _csi_picture(source: str, settings: FixedSettings) -> tuple[NDArray[np.uint8], dict[str, float | bool]]:
    module = _picamera2()
    if module is None:
        raise CameraError(
            "CSI cameras need picamera2, which comes with the system: sudo apt install python3-picamera2. "
            "Plasmolite's environment must see it (the installer makes it with --system-site-packages)."
        )
    number = source.partition(":")[2] or "0"
    if not number.isdigit() or int(number) >= len(module.Picamera2.global_camera_info()):
        raise CameraError(f"There is no camera {source}: check its ribbon cable with the board switched off.")
    camera = module.Picamera2(int(number))
    try:
        # picamera2 names formats by the order of bytes in a word: BGR888 is RGB in memory.
        camera.configure(
            camera.create_video_configuration({"size": (settings.width, settings.height), "format": "BGR888"})
        )
        camera.start()
        record = fix_csi_camera(camera, settings)
        return np.asarray(camera.capture_array(), np.uint8), record
    finally:
        camera.close()


def _refuse_faults(settings: FixedSettings) -> None:
    faults = settings.faults()
    if faults:
        raise CameraError(" ".join(["The camera's settings cannot be used:", *faults]))


def _v4l2_cameras(root: Path) -> list[Camera]:
    found = []
    nodes = [path for path in (root / "dev").glob("video*") if path.name.removeprefix("video").isdigit()]
    for node in sorted(nodes, key=lambda path: int(path.name.removeprefix("video"))):
        number = node.name.removeprefix("video")
        name = read_name(root, node.name)
        try:
            with open_query(node) as query:
                formats = read_formats(query)
        except OSError as error:
            problem = f"{node} cannot be opened ({error.strerror}): is this user in the group video?"
            found.append(Camera(number, "V4L2", name, (), problem))
            continue
        if formats:  # the other nodes of a camera carry metadata, or belong to the Pi's codecs
            found.append(Camera(number, "V4L2", name, formats))
    return found


def _picamera2() -> Any:
    try:
        return import_module("picamera2")
    except ImportError:
        return None


def _csi_cameras() -> list[Camera]:
    module = _picamera2()
    if module is None:
        return []
    return [
        Camera(f"picamera:{number}" if number else "picamera", "picamera2", str(entry.get("Model", "?")), ())
        for number, entry in enumerate(module.Picamera2.global_camera_info())
    ]
