"""What a V4L2 camera says of itself, asked through the kernel's own calls, with no program or library needed.

Layouts and numbers are those of Linux's ``include/uapi/linux/videodev2.h``, the same on 32 and 64 bits.
"""

import errno
import os
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

Query = Callable[[int, bytearray], bool]
"""Asks the kernel: request number and its structure, filled in place; False where the index is too high."""

QUERY_CAPABILITIES = 0x80685600  # _IOR('V', 0, struct v4l2_capability), 104 bytes
ENUMERATE_FORMATS = 0xC0405602  # _IOWR('V', 2, struct v4l2_fmtdesc), 64 bytes
ENUMERATE_SIZES = 0xC02C564A  # _IOWR('V', 74, struct v4l2_frmsizeenum), 44 bytes
_CAPTURE = 0x1  # V4L2_CAP_VIDEO_CAPTURE, and V4L2_BUF_TYPE_VIDEO_CAPTURE
_HAS_DEVICE_CAPABILITIES = 0x80000000
_DISCRETE = 1
_MOST = 64  # a driver that never ends its list must not hang us


class PixelFormat(NamedTuple):
    """One format that a camera delivers.

    Attributes:
        code: four letters, such as "MJPG" or "YUYV".
        description: in the driver's words.
        sizes: (width, height) in px; smallest and largest where the camera scales freely.
    """

    code: str
    description: str
    sizes: tuple[tuple[int, int], ...]


@contextmanager
def open_query(node: Path) -> Iterator[Query]:
    """Open a device such as /dev/video0 for questions; the camera itself stays free for others.

    Raises:
        OSError: it is missing or may not be opened.
    """
    import fcntl  # noqa: PLC0415 - only Linux has V4L2, and this module is imported elsewhere too

    descriptor = os.open(node, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def query(request: int, structure: bytearray) -> bool:
        try:
            fcntl.ioctl(descriptor, request, structure, True)
        except OSError as error:
            if error.errno in {errno.EINVAL, errno.ENOTTY}:
                return False
            raise
        return True

    try:
        yield query
    finally:
        os.close(descriptor)


def read_formats(query: Query) -> tuple[PixelFormat, ...]:
    """Ask a device which formats and sizes it delivers; empty where it is no camera."""
    capability = bytearray(104)
    if not query(QUERY_CAPABILITIES, capability):
        return ()
    whole, device = struct.unpack_from("=II", capability, 84)
    if not (device if whole & _HAS_DEVICE_CAPABILITIES else whole) & _CAPTURE:
        return ()
    formats = []
    for index in range(_MOST):
        structure = bytearray(64)
        struct.pack_into("=II", structure, 0, index, _CAPTURE)
        if not query(ENUMERATE_FORMATS, structure):
            break
        pixel_format = struct.unpack_from("=I", structure, 44)[0]
        formats.append(
            PixelFormat(
                struct.pack("<I", pixel_format & 0x7FFFFFFF).decode("ascii", "replace").strip(),
                _text(structure[12:44]),
                _sizes(query, pixel_format),
            )
        )
    return tuple(formats)


def device_number(source: str) -> int | None:
    """Find which /dev/videoN a source means.

    The numbers change when cameras are plugged in again; a path such as /dev/v4l/by-id/usb-... does not, and
    is looked up each time.

    Args:
        source: "0" for /dev/video0, or a path that is a video device or leads to one.

    Returns:
        N; None where the source means no video device.
    """
    # Not Path.resolve, which raises where a link leads to itself.
    place = f"/dev/video{source}" if source.isdecimal() else os.path.realpath(source)
    found = re.fullmatch(r"/dev/video(\d{1,9})", place)
    return int(found[1]) if found else None


def lasting_path(root: Path, node: str) -> str | None:
    """Find the path by which a video device is found again after it was plugged into another place.

    Args:
        root: where ``dev`` is.
        node: such as "video0".

    Returns:
        A path under /dev/v4l/by-id; None where the system makes none.
    """
    try:
        links = sorted((root / "dev/v4l/by-id").iterdir())
    except OSError:
        return None
    for link in links:
        if link.is_symlink() and link.readlink().name == node:
            return f"/dev/v4l/by-id/{link.name}"
    return None


def read_name(root: Path, node: str) -> str:
    """Name of a video device, from the kernel's table; its node's name where that is silent."""
    try:
        return (root / "sys/class/video4linux" / node / "name").read_text(errors="replace").strip() or node
    except OSError:
        return node


def _sizes(query: Query, pixel_format: int) -> tuple[tuple[int, int], ...]:
    sizes: list[tuple[int, int]] = []
    for index in range(_MOST):
        structure = bytearray(44)
        struct.pack_into("=II", structure, 0, index, pixel_format)
        if not query(ENUMERATE_SIZES, structure):
            break
        kind, *figures = struct.unpack_from("=I6I", structure, 8)
        if kind == _DISCRETE:
            sizes.append((figures[0], figures[1]))
            continue
        # Stepwise: least width, most, step, least height, most, step; the list ends here.
        sizes += [(figures[0], figures[3]), (figures[1], figures[4])]
        break
    return tuple(sizes)


def _text(packed: bytes | bytearray) -> str:
    return bytes(packed).partition(b"\0")[0].decode("utf-8", "replace")
