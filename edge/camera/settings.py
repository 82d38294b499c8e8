"""What a camera is told to keep while a slide is counted, and what it says that it keeps."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from edge.errors import CameraError
from edge.messages.camera_codes import CameraCode
from edge.messages.message import Message

_SETTINGS = {
    "width": (CameraCode.SETTING_WIDTH, 160, 8192),
    "height": (CameraCode.SETTING_HEIGHT, 120, 8192),
    "exposure_us": (CameraCode.SETTING_EXPOSURE, 20, 1_000_000),
    "white_balance_k": (CameraCode.SETTING_WHITE_BALANCE, 2_000, 10_000),
    "red_gain": (CameraCode.SETTING_RED_GAIN, 0.1, 32),
    "blue_gain": (CameraCode.SETTING_BLUE_GAIN, 0.1, 32),
    "gain": (CameraCode.SETTING_GAIN, 0, 1024),
}
"""Name of each setting in sentences, its least and its greatest value."""
_WIDTH, _HEIGHT = 1280, 960
TOLERANCE = 0.1
"""A camera counts its exposure in rows or in 100 µs and takes the nearest step: within a tenth it obeyed."""
_STEADY = (0.8, 1.25)
"""Brightness after fixing over brightness before it: outside, the exposure is not the one that was found."""


@dataclass(frozen=True)
class CameraSettings:
    """What a camera is told to keep. A value that is None is what the automatic finds, frozen.

    Attributes:
        width: of the picture, 160 to 8,192 px; None for 1,280.
        height: of the picture, 120 to 8,192 px; None for 960.
        exposure_us: exposure time, 20 to 1,000,000 µs.
        white_balance_k: colour temperature, 2,000 to 10,000 K (USB cameras).
        red_gain: gain of the red channel, 0.1 to 32 (CSI cameras); together with `blue_gain`.
        blue_gain: gain of the blue channel, 0.1 to 32 (CSI cameras).
        gain: analogue gain; a factor for CSI cameras, the driver's own units for USB cameras, 0 to 1,024.
    """

    width: int | None = None
    height: int | None = None
    exposure_us: float | None = None
    white_balance_k: float | None = None
    red_gain: float | None = None
    blue_gain: float | None = None
    gain: float | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture, px."""
        return self.width or _WIDTH, self.height or _HEIGHT

    def completed_by(self, other: "CameraSettings") -> "CameraSettings":
        """Return these settings, with the other's in each place where these name none."""
        own = {name: value for name, value in asdict(self).items() if value is not None}
        return replace(other, **own)

    def faults(self) -> list[Message]:
        """Return a sentence for each setting that is out of range; empty where none is."""
        found = []
        for name, (setting, low, high) in _SETTINGS.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high:
                found.append(
                    Message(
                        CameraCode.OUT_OF_RANGE, setting=Message(setting), value=value, low=low, high=high
                    )
                )
        if (self.red_gain is None) != (self.blue_gain is None):
            found.append(Message(CameraCode.ONE_COLOUR_GAIN))
        return found

    def check(self) -> None:
        """Refuse settings that no camera can have.

        Raises:
            CameraError: a setting is out of range; the message names all that are.
        """
        faults = self.faults()
        if faults:
            raise CameraError(CameraCode.SETTINGS, faults=Message.of_all(faults))


@dataclass(frozen=True, kw_only=True)
class CameraRecord:
    """What a camera was told and what it says that it has: kept with the slide.

    Attributes:
        source: as in `edge.camera.opening.open_camera`.
        kind: "V4L2" or "picamera2".
        asked: what it was told.
        width: of its pictures, px.
        height: of its pictures, px.
        pixel_format: four letters, such as "YUYV" or "MJPG"; empty where it is not known.
        exposure_us: exposure time, µs; None where the camera does not say it.
        exposure_fixed: whether the exposure stays as it is.
        white_balance_k: colour temperature, K; None where the camera does not say it.
        white_balance_fixed: whether the white balance stays as it is.
        red_gain: gain of the red channel; None for USB cameras.
        blue_gain: gain of the blue channel; None for USB cameras.
        gain: analogue gain; None where the camera does not say it.
        gain_fixed: whether the gain was taken.
        brightness_change: mean brightness after fixing over that before it; None where nothing was left to
            the automatic.
    """

    source: str
    kind: str
    asked: CameraSettings
    width: int
    height: int
    pixel_format: str = ""
    exposure_us: float | None
    exposure_fixed: bool
    white_balance_k: float | None = None
    white_balance_fixed: bool
    red_gain: float | None = None
    blue_gain: float | None = None
    gain: float | None
    gain_fixed: bool
    brightness_change: float | None = None

    def disobeyed(self) -> list[Message]:
        """Return a sentence for each setting that the camera did not take; empty where it took all."""
        found = []
        asked, change = self.asked, self.brightness_change
        if (self.width, self.height) != asked.size:
            found.append(
                Message(
                    CameraCode.SIZE,
                    width=self.width,
                    height=self.height,
                    wanted_width=asked.size[0],
                    wanted_height=asked.size[1],
                )
            )
        if not self.exposure_fixed:
            found.append(Message(CameraCode.EXPOSURE_NOT_KEPT))
        elif change is not None and not _STEADY[0] <= change <= _STEADY[1]:
            found.append(Message(CameraCode.EXPOSURE_NOT_TOLD, change=change))
        if not self.white_balance_fixed:
            found.append(Message(CameraCode.WHITE_BALANCE_NOT_KEPT))
        if asked.gain is not None and not self.gain_fixed:
            found.append(
                Message(CameraCode.GAIN_MISSING, wanted=asked.gain)
                if self.gain is None
                else Message(CameraCode.GAIN_NOT_TAKEN, wanted=asked.gain, gain=self.gain)
            )
        return found

    def differences(self, begun: "CameraRecord") -> list[Message]:
        """Return a sentence for each setting in which this record differs from another one.

        Args:
            begun: the record with which the slide was begun.
        """
        found = []
        if (self.width, self.height) != (begun.width, begun.height):
            found.append(
                Message(
                    CameraCode.SIZE_DIFFERS,
                    width=self.width,
                    height=self.height,
                    begun_width=begun.width,
                    begun_height=begun.height,
                )
            )
        for name in ("exposure_us", "white_balance_k", "gain", "red_gain", "blue_gain"):
            now, before = getattr(self, name), getattr(begun, name)
            if now is not None and before is not None and not near(now, before):
                setting = Message(_SETTINGS[name][0])
                found.append(Message(CameraCode.SETTING_DIFFERS, setting=setting, value=now, begun=before))
        return found

    def as_settings(self) -> CameraSettings:
        """Return settings that ask for what this record says, to open the camera again as it was."""
        return CameraSettings(
            *self.asked.size,
            exposure_us=self.exposure_us if self.exposure_fixed else self.asked.exposure_us,
            white_balance_k=self.white_balance_k if self.white_balance_fixed else self.asked.white_balance_k,
            red_gain=self.red_gain,
            blue_gain=self.blue_gain,
            gain=self.gain if self.gain_fixed else self.asked.gain,
        )

    def facts(self) -> list[tuple[Message, Message]]:
        """Return name and value of each setting that the camera tells, for reports and the command line."""
        size = Message(CameraCode.SIZE_IS, width=self.width, height=self.height, format=self.pixel_format)
        rows = [(Message(CameraCode.SETTING_SIZE), size)]
        for name, fixed in (
            ("exposure_us", self.exposure_fixed),
            ("white_balance_k", self.white_balance_fixed),
            ("red_gain", self.white_balance_fixed),
            ("blue_gain", self.white_balance_fixed),
            ("gain", self.gain_fixed),
        ):
            value = getattr(self, name)
            if value is not None:
                code = CameraCode.KEPT if fixed else CameraCode.NOT_KEPT
                rows.append((Message(_SETTINGS[name][0]), Message(code, value=value)))
        return rows

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values, without what the camera does not have."""
        values = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        values["asked"] = {name: value for name, value in values["asked"].items() if value is not None}
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> Self:
        """Read what `to_json` wrote.

        Raises:
            TypeError: it is not a camera's record.
        """
        known = {"exposure_us": None, "gain": None, **values}
        return cls(**{**known, "asked": CameraSettings(**values["asked"])})


def near(value: float, wanted: float) -> bool:
    """Tell whether a camera's value is the nearest step to the one that it was told."""
    return abs(value - wanted) <= TOLERANCE * abs(wanted)
