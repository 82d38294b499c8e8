"""``plasmolite cameras``: what cameras there are, what they deliver, and one picture to look at."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click


@click.command(epilog="Example:\n\n  plasmolite cameras --test 0 --picture test.png --exposure 8000")
@click.option(
    "--test", "source", metavar="SOURCE", help="Take a picture with this camera: 0, 1 … or picamera."
)
@click.option(
    "--picture",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("camera-test.png"),
    show_default=True,
    help="Where the test picture goes.",
)
@click.option("--width", default=1280, show_default=True, help="Of the test picture, in px.")
@click.option("--height", default=960, show_default=True, help="Of the test picture, in px.")
@click.option("--exposure", type=int, help="Fixed exposure in µs; by default what the automatic finds.")
@click.option("--white-balance", type=int, help="Fixed colour temperature in K; by default as found.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
def command(
    *,
    source: str | None,
    picture: Path,
    width: int,
    height: int,
    exposure: int | None,
    white_balance: int | None,
    as_json: bool,
) -> None:
    """List the cameras (USB through V4L2, CSI through picamera2), or take a test picture.

    Exposure and white balance are fixed, since automatic ones change the colours that the network reads.

    Exit code: 0 cameras were found, 1 none or one with a fault, 2 the test picture failed.
    """
    from edge.camera.usb import FixedSettings, list_cameras, take_test_picture
    from edge.errors import PlasmoliteError
    from edge.images.files import write_png

    if source is not None:
        try:
            rgb, record = take_test_picture(
                source, FixedSettings(width, height, exposure_us=exposure, white_balance_k=white_balance)
            )
            write_png(picture, rgb)
        except (PlasmoliteError, OSError) as error:
            click.echo(f"Error: {error}", err=True)
            sys.exit(2)
        if as_json:
            click.echo(json.dumps({"picture": str(picture), "source": source, "settings": record}))
            return
        click.echo(f"{picture}: {rgb.shape[1]} x {rgb.shape[0]} px")
        for name, value in record.items():
            click.echo(f"  {name}: {value if isinstance(value, bool) else f'{value:g}'}")
        return
    cameras = list_cameras()
    for camera in cameras:
        if as_json:
            formats = [one._asdict() for one in camera.formats]
            click.echo(json.dumps({**camera._asdict(), "formats": formats}))
            continue
        click.echo(f"--source {camera.source}  {camera.name} ({camera.kind})")
        if camera.problem is not None:
            click.echo(f"  {camera.problem}")
        for one in camera.formats:
            sizes = ", ".join(f"{size[0]}x{size[1]}" for size in one.sizes)
            click.echo(f"  {one.code} {one.description}: {sizes}")
    if not cameras:
        click.echo(
            "No camera was found. A USB camera appears as /dev/video0 when it is plugged in; a CSI camera "
            "needs python3-picamera2 from the system's packages.",
            err=True,
        )
    sys.exit(0 if cameras and all(camera.problem is None for camera in cameras) else 1)
