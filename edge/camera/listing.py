"""Which cameras this machine has: USB cameras through the kernel (V4L2), CSI cameras through picamera2."""

from pathlib import Path
from typing import NamedTuple

from edge.camera.csi import import_picamera2
from edge.camera.v4l2 import PixelFormat, lasting_path, open_query, read_formats, read_name
from edge.messages.camera_codes import CameraCode
from edge.messages.message import Message, system_reason


class Camera(NamedTuple):
    """One camera that can be opened.

    Attributes:
        source: what ``--source`` takes: "0" for /dev/video0, "picamera" or "picamera:1".
        kind: "V4L2" or "picamera2".
        name: as the camera calls itself.
        formats: what it delivers.
        problem: why it cannot be used; None where it can.
        path: what ``--source`` takes as well, and what stays the same when cameras are plugged in anew; None
            where there is no such path.
    """

    source: str
    kind: str
    name: str
    formats: tuple[PixelFormat, ...]
    problem: Message | None = None
    path: str | None = None


def list_cameras(root: Path = Path("/")) -> list[Camera]:
    """List all cameras of this machine, USB first.

    Args:
        root: where ``dev`` and ``sys`` are.
    """
    return [*_usb_cameras(root), *_csi_cameras()]


def _usb_cameras(root: Path) -> list[Camera]:
    found = []
    nodes = [path for path in (root / "dev").glob("video*") if path.name.removeprefix("video").isdigit()]
    for node in sorted(nodes, key=lambda path: int(path.name.removeprefix("video"))):
        number = node.name.removeprefix("video")
        name = read_name(root, node.name)
        try:
            with open_query(node) as query:
                formats = read_formats(query)
        except OSError as error:
            problem = Message(CameraCode.NODE_NOT_OPENED, node=node, reason=system_reason(error))
            found.append(Camera(number, "V4L2", name, (), problem))
            continue
        if formats:  # the other nodes of a camera carry metadata, or belong to the Pi's codecs
            found.append(Camera(number, "V4L2", name, formats, path=lasting_path(root, node.name)))
    return found


def _csi_cameras() -> list[Camera]:
    module = import_picamera2()
    if module is None:
        return []
    return [
        Camera(f"picamera:{number}" if number else "picamera", "picamera2", str(entry.get("Model", "?")), ())
        for number, entry in enumerate(module.Picamera2.global_camera_info())
        if "usb" not in str(entry.get("Id", ""))  # libcamera lists USB cameras too
    ]
