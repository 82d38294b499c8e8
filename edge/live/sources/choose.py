"""From what a user writes after ``--source`` to a source."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import urlsplit

from edge.camera.address import shown_address
from edge.camera.opening import is_camera
from edge.camera.settings import CameraSettings
from edge.errors import SourceError
from edge.live.sources.base import Source
from edge.live.sources.camera import CameraSource
from edge.live.sources.folder import FolderSource
from edge.live.sources.mjpeg import HttpSource
from edge.live.sources.simulated import SimulatorSource
from edge.live.sources.stream import StreamSource
from edge.live.sources.video import VideoSource
from edge.messages.codes import Code
from edge.messages.message import Message


def choose_source(
    text: str,
    *,
    camera: CameraSettings | None = None,
    every_frame: bool = False,
    seed: int = 0,
    files_taken: Iterable[str] = (),
    give_up: Callable[[str | None, Message], None] | None = None,
    once: bool = False,
) -> Source:
    """Make the source that a text names; nothing is opened yet.

    Args:
        text: a camera's number or path such as ``/dev/video0``, ``picamera``, ``picamera:1``, ``simulator``, an
            ``rtsp://``, ``http://`` or ``https://`` address, a folder, or a video file.
        camera: what a camera is told to keep; None for what it finds by itself.
        every_frame: of a video file, take every frame instead of playing it at its speed.
        seed: of the simulator's slide.
        files_taken: SHA-256 of the folder's files that were counted before.
        give_up: is told SHA-256 and fault of each file of a folder that cannot be read, once, and of each kind of
            file that is not looked at.
        once: of a folder, end when every picture in it was taken.

    Raises:
        SourceError: the text names nothing that there is.
    """
    text = text.strip()
    if not text:  # as of an unset variable of the shell: it would name the current folder
        raise SourceError(Code.SOURCE_EMPTY)
    if is_camera(text):
        return CameraSource(text, camera)
    if camera is not None:
        raise SourceError(Code.SOURCE_TAKES_NO_SETTINGS, source=_shown(text))
    if text == "simulator":
        return SimulatorSource(seed)
    scheme = _scheme(text)
    if scheme in {"rtsp", "rtsps", "http", "https"}:
        return HttpSource(text) if scheme.startswith("http") else StreamSource(text)
    folder = folder_of(text)
    if folder is not None:
        return FolderSource(folder, files_taken, give_up=give_up, once=once)
    path = os.path.expanduser(text)  # noqa: PTH111 - as below
    if os.path.isfile(path):  # noqa: PTH113 - as below
        return VideoSource(Path(path), every_frame=every_frame)
    raise SourceError(Code.SOURCE_UNKNOWN, source=_shown(text))


def folder_of(text: str) -> Path | None:
    """The folder that a source is; None where it is another source, or none."""
    # pathlib raises where there is no such user, a name is too long, or a folder may not be entered.
    path = os.path.expanduser(text.strip())  # noqa: PTH111
    return Path(path) if os.path.isdir(path) else None  # noqa: PTH112


def _scheme(text: str) -> str:
    try:
        return urlsplit(text).scheme.lower()
    except ValueError:  # brackets in which no address stands
        return ""


def _shown(text: str) -> str:
    """The text without what may be a password: a misspelt address holds one as well."""
    return shown_address(text) if ":" in text else text
