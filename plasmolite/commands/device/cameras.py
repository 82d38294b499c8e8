"""``plasmolite cameras``: what cameras there are, what they deliver, and one picture to look at."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from edge.messages.codes import Code
from edge.messages.message import system_reason
from plasmolite.commands.options.camera import camera_options, take_camera_settings
from plasmolite.commands.options.paths import FILE
from plasmolite.terminal.language import refuse, spoken


@click.command(epilog="Example:\n\n  plasmolite cameras --test 0 --picture test.png --exposure 8000")
@click.option(
    "--test",
    "source",
    metavar="SOURCE",
    help="Camera to take a picture with: 0, a path such as /dev/video0, picamera, or picamera:1.",
)
@click.option(
    "--picture",
    type=FILE,
    default=Path("camera-test.png"),
    show_default=True,
    help="File of the test picture.",
)
@camera_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(
    *,
    source: str | None,
    picture: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """List the cameras (USB through V4L2, CSI through picamera2), or take a test picture.

    Size, exposure, white balance and gain are fixed as in plasmolite live, and what the camera did not take is
    named. The colours that the network reads stay the same from field to field only where all are fixed.

    Exit code: 0 cameras were found, 1 none or one with a fault, 2 the test picture failed.
    """
    from edge.camera.listing import list_cameras
    from edge.camera.opening import take_test_picture
    from edge.camera.settings import CameraSettings
    from edge.errors import ImageError, PlasmoliteError
    from edge.images.encode import write_png

    settings = take_camera_settings(options) or CameraSettings()
    if source is not None:
        try:
            rgb, record = take_test_picture(source, settings)
            picture.parent.mkdir(parents=True, exist_ok=True)
            write_png(picture, rgb)
        except PlasmoliteError as error:
            refuse(error)
        except OSError as error:
            refuse(ImageError(Code.FILE_NOT_WRITTEN, path=picture, reason=system_reason(error)))
        words, warnings = spoken(), record.disobeyed()
        if as_json:
            told = {"picture": str(picture), "source": source, "settings": record.to_json()}
            click.echo(json.dumps({**told, "warnings": list(map(str, warnings))}))
            return
        click.echo(f"{picture}: {rgb.shape[1]} x {rgb.shape[0]} px")
        for name, value in record.facts():
            click.echo("  " + words.text("cameras.setting", name=name, value=value))
        for warning in warnings:
            click.echo(words.text("calibrated.warning", warning=warning))
        return
    cameras = list_cameras()
    for camera in cameras:
        if as_json:
            formats = [one._asdict() for one in camera.formats]
            problem = None if camera.problem is None else str(camera.problem)
            click.echo(json.dumps({**camera._asdict(), "formats": formats, "problem": problem}))
            continue
        click.echo(f"--source {camera.source}  {camera.name} ({camera.kind})")
        if camera.path is not None:
            click.echo("  " + spoken().text("cameras.by-path", path=camera.path))
        if camera.problem is not None:
            click.echo(f"  {spoken().message(camera.problem)}")
        for one in camera.formats:
            sizes = ", ".join(f"{size[0]}x{size[1]}" for size in one.sizes)
            click.echo(f"  {one.code} {one.description}: {sizes}")
    if not cameras:
        click.echo(spoken().text("cameras.none"), err=True)
    sys.exit(0 if cameras and all(camera.problem is None for camera in cameras) else 1)
