"""The options that ``cameras``, ``live`` and ``serve`` share: what a camera is told to keep."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from plasmolite.terminal.language import spoken

if TYPE_CHECKING:
    from edge.camera.settings import CameraSettings

Command = TypeVar("Command", bound=Callable[..., Any])


class WhiteBalance(click.ParamType):
    """A colour temperature in kelvin, or a red and a blue gain with a comma between them."""

    name = "K or R,B"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[float, ...]:
        """Read one or two numbers."""
        if isinstance(value, tuple):
            return value
        try:
            numbers = tuple(float(part) for part in str(value).split(","))
        except ValueError:
            numbers = ()
        if len(numbers) not in {1, 2}:
            self.fail(spoken().text("cameras.white-balance", value=repr(value)), param, ctx)
        return numbers


_OPTIONS = (
    click.option("--width", type=int, metavar="PX", help="Width of the camera's picture.  [default: 1280]"),
    click.option("--height", type=int, metavar="PX", help="Height of the camera's picture.  [default: 960]"),
    click.option(
        "--exposure", type=float, metavar="µs", help="Exposure time.  [default: as the camera finds it]"
    ),
    click.option(
        "--white-balance",
        type=WhiteBalance(),
        metavar="K|R,B",
        help="White balance: kelvin for a USB camera (5200), red and blue gain for a CSI camera (2.0,1.6).  "
        "[default: as the camera finds it]",
    ),
    click.option(
        "--gain",
        type=float,
        help="Analogue gain: a factor for a CSI camera, the camera's own units for a USB camera.  "
        "[default: as the camera finds it]",
    ),
)

NAMES = ("width", "height", "exposure", "white_balance", "gain")
"""Of the arguments that the options become."""


def camera_options(command: Command) -> Command:
    """Give a command the options; their values reach it under :data:`NAMES`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def take_camera_settings(options: dict[str, Any]) -> CameraSettings | None:
    """Take the camera's options out of all those of a command; None where none was given."""
    from edge.camera.settings import CameraSettings

    given = {name: options.pop(name) for name in NAMES}
    if all(value is None for value in given.values()):
        return None
    kelvin, red, blue = None, None, None
    match given["white_balance"]:
        case (kelvin,):
            pass
        case (red, blue):
            pass
    return CameraSettings(
        width=given["width"],
        height=given["height"],
        exposure_us=given["exposure"],
        white_balance_k=kelvin,
        red_gain=red,
        blue_gain=blue,
        gain=given["gain"],
    )
